create type community_visibility as enum ('Public', 'LocalOnly');
create table community (
  id serial primary key,
  name citext not null,
  title varchar(255) not null,
  description text,
  removed boolean default false not null,
  published timestamptz not null default now(),
  updated timestamptz,
  nsfw boolean default false not null,
  actor_id varchar(255) not null unique default 'http://changeme/' || encode(gen_random_bytes(12), 'hex'),
  instance_id int not null references instance (id) on delete cascade on update cascade,
  visibility community_visibility not null default 'Public',
  unique (name, instance_id)
);
create table community_moderator (
  community_id int references community on update cascade on delete cascade not null,
  person_id int references person on update cascade on delete cascade not null,
  published timestamptz not null default now(),
  primary key (person_id, community_id)
);
create table community_follower (
  community_id int references community on update cascade on delete cascade not null,
  person_id int references person on update cascade on delete cascade not null,
  published timestamptz not null default now(),
  pending boolean not null default false,
  primary key (person_id, community_id)
);
create table community_aggregates (
  community_id int primary key references community on update cascade on delete cascade,
  subscribers bigint not null default 0,
  posts bigint not null default 0,
  comments bigint not null default 0,
  published timestamptz not null default now(),
  hot_rank double precision not null default 0.0001
);
create table person_aggregates (
  person_id int primary key references person on update cascade on delete cascade,
  post_count bigint not null default 0,
  post_score bigint not null default 0,
  comment_count bigint not null default 0,
  comment_score bigint not null default 0
);

create function person_aggregates_person() returns trigger language plpgsql as $$
begin
  IF (TG_OP = 'INSERT') THEN
    insert into person_aggregates (person_id) values (NEW.id);
  ELSIF (TG_OP = 'DELETE') THEN
    delete from person_aggregates where person_id = OLD.id;
  END IF;
  return null;
end $$;
create trigger person_aggregates_person after insert or delete on person
  for each row execute procedure person_aggregates_person();

create function community_aggregates_community() returns trigger language plpgsql as $$
begin
  IF (TG_OP = 'INSERT') THEN
    insert into community_aggregates (community_id, published) values (NEW.id, NEW.published);
  ELSIF (TG_OP = 'DELETE') THEN
    delete from community_aggregates where community_id = OLD.id;
  END IF;
  return null;
end $$;
create trigger community_aggregates_community after insert or delete on community
  for each row execute procedure community_aggregates_community();

create function community_aggregates_subscriber_count() returns trigger language plpgsql as $$
begin
  IF (TG_OP = 'INSERT') THEN
    update community_aggregates set subscribers = subscribers + 1 where community_id = NEW.community_id;
  ELSIF (TG_OP = 'DELETE') THEN
    update community_aggregates set subscribers = subscribers - 1 where community_id = OLD.community_id;
  END IF;
  return null;
end $$;
create trigger community_aggregates_subscriber_count after insert or delete on community_follower
  for each row execute procedure community_aggregates_subscriber_count();
