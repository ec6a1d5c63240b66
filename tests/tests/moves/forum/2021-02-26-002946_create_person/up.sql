CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pgcrypto;

create table instance (
  id serial primary key,
  domain varchar(255) not null unique,
  software varchar(255),
  version varchar(255),
  published timestamptz not null default now(),
  updated timestamptz
);

create table person (
  id serial primary key,
  name citext not null,
  display_name varchar(255),
  avatar text,
  banned boolean default false not null,
  published timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  actor_id varchar(255) not null,
  bio text,
  local boolean not null default true,
  private_key text,
  public_key text not null,
  deleted boolean default false not null,
  instance_id int references instance on update cascade on delete cascade not null,
  matrix_user_id text,
  unique (actor_id),
  check (matrix_user_id is null or matrix_user_id ~* '^@[A-Za-z0-9\.-]+:[A-Za-z0-9.-]+\.[A-Za-z]{2,4}$')
);
create unique index idx_person_lower_actor_id on person (lower(actor_id));
create index idx_person_published on person (published desc);
SELECT diesel_manage_updated_at('person');

create type sort_type_enum as enum ('Active', 'Hot', 'New', 'Old', 'TopDay', 'TopWeek');
create type listing_type_enum as enum ('All', 'Local', 'Subscribed');

create table local_user (
  id serial primary key,
  person_id int references person on update cascade on delete cascade not null,
  password_encrypted text not null,
  email citext,
  show_nsfw boolean default false not null,
  theme text default 'browser' not null,
  default_sort_type sort_type_enum default 'Active' not null,
  default_listing_type listing_type_enum default 'Local' not null,
  lang varchar(20) default 'browser' not null,
  validator_time timestamptz not null default now(),
  totp_2fa_secret text,
  unique (person_id)
);
create unique index local_user_email_key on local_user (lower(email::text)) where email is not null;
