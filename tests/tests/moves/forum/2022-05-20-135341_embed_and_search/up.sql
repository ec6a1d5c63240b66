create extension if not exists unaccent;
create function immutable_unaccent(t text) returns text as $$ select unaccent('unaccent', t) $$ language sql immutable parallel safe strict;
alter table post add column embed_title text, add column embed_description text;
alter table post add column search tsvector generated always as (to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(body, ''))) stored;
create index idx_post_search on post using gin (search);
create index idx_community_title_unaccent on community (immutable_unaccent(lower(title)));
create view post_view as
  select p.id, p.name, p.url, p.creator_id, pe.name as creator_name, c.name as community_name, p.score, p.published
  from post p join person pe on pe.id = p.creator_id join community c on c.id = p.community_id
  where not p.removed;
create materialized view community_activity as
  select c.id, c.name, count(distinct p.creator_id) as users_active_month, max(p.published) as last_post
  from community c left join post p on p.community_id = c.id
  group by c.id, c.name;
create unique index community_activity_id on community_activity (id);
create index on community_activity (users_active_month desc);
create function refresh_community_activity() returns trigger language plpgsql as $$
begin
  refresh materialized view concurrently community_activity;
  return null;
end $$;
create function community_moderators(c int) returns setof person language sql stable as $$
  select p.* from person p join community_moderator m on m.person_id = p.id where m.community_id = c
$$;
create function is_local(p person) returns boolean language sql stable as $$ select p.local $$;
