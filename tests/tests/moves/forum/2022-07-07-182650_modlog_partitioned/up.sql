create type mod_action as enum ('RemovePost', 'LockPost', 'RemoveComment', 'Ban', 'Unban');
create table mod_log (
  id bigserial,
  moderator_id int not null references person on update cascade on delete cascade,
  action mod_action not null,
  reason text,
  target jsonb not null default '{}'::jsonb,
  when_ timestamptz not null default now(),
  primary key (id, when_)
) partition by range (when_);
create table mod_log_2022_07 partition of mod_log for values from ('2022-07-01') to ('2022-08-01');
create table mod_log_2022_08 partition of mod_log for values from ('2022-08-01') to ('2022-09-01');
create table mod_log_default partition of mod_log default;
create index on mod_log (moderator_id);
create function mod_log_new_partition(month date) returns void language plpgsql as $$
begin
  execute format('create table if not exists %I partition of mod_log for values from (%L) to (%L)',
    'mod_log_' || to_char(month, 'YYYY_MM'), month, month + interval '1 month');
end $$;
create function mod_log_guard() returns trigger language plpgsql as $$
begin
  raise exception 'the modlog is append-only' using errcode = 'restrict_violation';
end $$;
create trigger mod_log_guard before update on mod_log for each row execute function mod_log_guard();
create function mod_log_bans() returns trigger language plpgsql as $$
begin
  if new.action = 'Ban' then
    update person set banned = true where id = (new.target ->> 'person_id')::int;
  end if;
  return null;
end $$;
create trigger mod_log_bans after insert on mod_log for each row execute function mod_log_bans();
