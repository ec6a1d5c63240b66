alter type sort_type_enum add value 'MostComments';
alter type sort_type_enum add value if not exists 'NewComments' after 'New';
