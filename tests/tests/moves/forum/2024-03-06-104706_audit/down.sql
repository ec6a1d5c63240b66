DROP POLICY own_user ON local_user;
DROP POLICY read_all ON local_user;
ALTER TABLE local_user DISABLE ROW LEVEL SECURITY;
DROP TABLE audit_entry;
DROP TRIGGER audit ON local_user;
DROP TRIGGER audit ON local_site;
DROP TRIGGER audit ON registration_application;
DROP FUNCTION audit_row();
