DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'forum_app') THEN CREATE ROLE forum_app NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'forum_read') THEN CREATE ROLE forum_read NOLOGIN; END IF;
END $$;
GRANT USAGE ON SCHEMA public TO forum_app, forum_read;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO forum_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO forum_app;
GRANT SELECT ON post, comment, community, post_view TO forum_read;
GRANT SELECT (id, name, display_name) ON person TO forum_read;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO forum_read;
REVOKE ALL ON FUNCTION site_aggregates_refresh() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION site_aggregates_refresh() TO forum_app;
