-- enum labels cannot be taken away: a new type, and move over
alter table local_user alter default_sort_type drop default;
update local_user set default_sort_type = 'Active' where default_sort_type in ('MostComments', 'NewComments');
alter type sort_type_enum rename to sort_type_enum__;
create type sort_type_enum as enum ('Active', 'Hot', 'New', 'Old', 'TopDay', 'TopWeek');
alter table local_user alter default_sort_type type sort_type_enum using default_sort_type::text::sort_type_enum;
alter table local_user alter default_sort_type set default 'Active';
drop type sort_type_enum__;
