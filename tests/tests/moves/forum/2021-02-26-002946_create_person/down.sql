drop table local_user;
drop type listing_type_enum;
drop type sort_type_enum;
drop table person;
drop table instance;
drop extension pgcrypto;
drop extension citext;
