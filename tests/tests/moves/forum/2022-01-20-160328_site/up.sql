create type registration_mode_enum as enum ('Closed', 'RequireApplication', 'Open');
create table site (
  id serial primary key,
  name varchar(20) not null unique,
  sidebar text,
  published timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  instance_id int references instance on update cascade on delete cascade not null unique
);
select diesel_manage_updated_at('site');
create table local_site (
  id serial primary key,
  site_id int references site on update cascade on delete cascade not null unique,
  site_setup boolean default false not null,
  registration_mode registration_mode_enum not null default 'RequireApplication',
  application_question text default 'to verify that you are human, please explain why you want to create an account on this site',
  slur_filter_regex text,
  actor_name_max_length int default 20 not null,
  reports_email_admins boolean not null default false,
  check (actor_name_max_length > 0)
);
create table "Site Setting" (
  "Key" text not null,
  "order" int not null default 0,
  "value""s" jsonb not null default '{}',
  "select" boolean,
  primary key ("Key")
);
comment on table "Site Setting" is 'It''s odd; 100% so';
comment on column "Site Setting"."value""s" is E'two\nlines';
create table tagline (
  id serial primary key,
  local_site_id int references local_site on update cascade on delete cascade not null,
  content text not null,
  published timestamptz not null default now()
);
create table custom_emoji (
  id serial primary key,
  local_site_id int references local_site on update cascade on delete cascade not null,
  shortcode varchar(128) not null unique,
  image_url text not null unique,
  keywords text[] not null default '{}'
);
create index on custom_emoji using gin (keywords);
create table registration_application (
  id serial primary key,
  local_user_id int references local_user on update cascade on delete cascade not null unique,
  answer text not null,
  admin_id int references person on update cascade on delete cascade,
  deny_reason text,
  published timestamptz not null default now()
);
create function site_aggregates_refresh() returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform count(*) from person;
end $$;
create function "Site Setting changed"() returns trigger language plpgsql as $$
begin
  perform pg_notify('settings', new."Key");
  return new;
end $$;
create trigger "On Setting" after insert or update of "value""s" on "Site Setting"
  for each row when (new."order" >= 0) execute function "Site Setting changed"();
