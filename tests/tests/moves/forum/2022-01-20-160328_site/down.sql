drop function site_aggregates_refresh();
drop table registration_application;
drop table custom_emoji;
drop table tagline;
drop table "Site Setting";
drop function "Site Setting changed"();
drop table local_site;
drop table site;
drop type registration_mode_enum;
