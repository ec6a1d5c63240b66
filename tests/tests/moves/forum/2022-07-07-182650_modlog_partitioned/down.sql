drop table mod_log;
drop function mod_log_bans, mod_log_guard;
drop function mod_log_new_partition;
drop type mod_action;
