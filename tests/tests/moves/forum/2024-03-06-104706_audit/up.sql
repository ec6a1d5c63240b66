CREATE TABLE audit_entry (
    id bigserial PRIMARY KEY,
    table_name text NOT NULL,
    op char(1) NOT NULL,
    old_row jsonb,
    new_row jsonb,
    by_role name NOT NULL DEFAULT current_user,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_entry (table_name, op, old_row, new_row)
    VALUES (TG_TABLE_NAME, left(TG_OP, 1), CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON local_user FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON local_site FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON registration_application FOR EACH ROW EXECUTE FUNCTION audit_row();
ALTER TABLE local_user ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_user ON local_user TO forum_app USING (person_id = current_setting('forum.person', true)::int);
CREATE POLICY read_all ON local_user FOR SELECT TO forum_read USING (true);
UPDATE local_user SET theme = 'browser' WHERE theme = '';
