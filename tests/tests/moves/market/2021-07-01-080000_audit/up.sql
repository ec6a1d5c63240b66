CREATE SCHEMA audit;
CREATE TABLE audit.log (
    id BIGSERIAL PRIMARY KEY,
    relation TEXT NOT NULL,
    action TEXT NOT NULL,
    was JSONB,
    by_whom TEXT NOT NULL DEFAULT current_user,
    at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE FUNCTION audit.note() RETURNS trigger AS $audit$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audit.log (relation, action) VALUES (TG_TABLE_NAME, TG_OP);
        RETURN NEW;
    END IF;
    INSERT INTO audit.log (relation, action, was) VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(OLD));
    RETURN OLD;
END
$audit$ LANGUAGE plpgsql SECURITY DEFINER SET search_path = audit, public;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON members FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON shops FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE TRIGGER note AFTER UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE TRIGGER note AFTER DELETE ON reviews FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON audit.log FOR EACH ROW EXECUTE FUNCTION never_changed();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit.log FOR EACH STATEMENT EXECUTE FUNCTION never_changed();

DO $$
BEGIN
    CREATE ROLE market_reader;
EXCEPTION WHEN duplicate_object THEN
    NULL;
END $$;
GRANT USAGE ON SCHEMA audit TO market_reader;
GRANT SELECT ON audit.log, members, shops, listings TO market_reader;
GRANT SELECT (id, total) ON orders TO market_reader;
