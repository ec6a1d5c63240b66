REVOKE EXECUTE ON FUNCTION site_aggregates_refresh() FROM forum_app;
GRANT EXECUTE ON FUNCTION site_aggregates_refresh() TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM forum_read;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM forum_app, forum_read;
REVOKE SELECT (id, name, display_name) ON person FROM forum_read;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM forum_app;
REVOKE ALL ON SCHEMA public FROM forum_app, forum_read;
