-- odd: triggers everywhere
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.at = now(); RETURN NEW; END$$;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no rows here'; END$$;
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.log (what, row) VALUES (TG_OP, to_jsonb(NEW)); RETURN NULL; END$$;
CREATE TABLE log (id serial PRIMARY KEY, what text NOT NULL, row jsonb);
CREATE TABLE a (id int PRIMARY KEY, at timestamptz, n int);
CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a DEFERRABLE INITIALLY DEFERRED, n int);
CREATE TABLE c (id int PRIMARY KEY, n int);
CREATE TABLE d (id int PRIMARY KEY, n int);
CREATE TRIGGER touch BEFORE INSERT OR UPDATE OF n ON a FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION touch();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON a FOR EACH ROW EXECUTE FUNCTION audit();
CREATE CONSTRAINT TRIGGER later AFTER INSERT OR UPDATE ON b DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER refuse BEFORE INSERT ON c FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER swallow BEFORE INSERT OR UPDATE ON d FOR EACH ROW EXECUTE FUNCTION swallow();
-- change
ALTER TABLE a ADD COLUMN x int NOT NULL DEFAULT 3; ALTER TABLE b ADD COLUMN x int NOT NULL DEFAULT 3;
-- change
ALTER TABLE a ALTER COLUMN id TYPE bigint; ALTER TABLE b ALTER COLUMN a_id TYPE bigint;
-- change
ALTER TABLE c ALTER COLUMN n TYPE bigint; ALTER TABLE d ALTER COLUMN n SET NOT NULL;
-- change
DROP TABLE b; DROP TABLE d;
-- change
ALTER TABLE a DROP COLUMN at;
-- change
ALTER TABLE b ADD UNIQUE (a_id) DEFERRABLE; ALTER TABLE a ADD CHECK (n > 0);
-- change
ALTER TABLE log ALTER COLUMN row SET NOT NULL;
-- change
ALTER TABLE a DROP COLUMN n CASCADE;

-- odd: event triggers
CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN PERFORM 1; END$$;
CREATE TABLE t (id int PRIMARY KEY);
CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION noted();
-- change
ALTER TABLE t ADD COLUMN n int DEFAULT 3;
-- change
DROP TABLE t;

-- odd: event triggers that refuse
CREATE FUNCTION no_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'nothing is dropped here'; END$$;
CREATE FUNCTION no_table() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
    FOR one IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
        IF one.command_tag = 'CREATE TABLE' THEN RAISE EXCEPTION 'tables come from the platform'; END IF;
    END LOOP;
END$$;
CREATE FUNCTION no_rewrite() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no rewrites'; END$$;
CREATE TABLE t (id int PRIMARY KEY, n int);
CREATE TABLE gone (id int);
CREATE EVENT TRIGGER no_drop ON sql_drop EXECUTE FUNCTION no_drop();
CREATE EVENT TRIGGER no_table ON ddl_command_end EXECUTE FUNCTION no_table();
CREATE EVENT TRIGGER no_rewrite ON table_rewrite EXECUTE FUNCTION no_rewrite();
-- change
ALTER EVENT TRIGGER no_drop DISABLE; DROP TABLE gone; ALTER EVENT TRIGGER no_drop ENABLE;
-- change
ALTER EVENT TRIGGER no_table DISABLE; CREATE TABLE u (); ALTER EVENT TRIGGER no_table ENABLE;
-- change
ALTER EVENT TRIGGER no_rewrite DISABLE; ALTER TABLE t ALTER COLUMN n TYPE bigint; ALTER EVENT TRIGGER no_rewrite ENABLE;

-- odd: row security
CREATE TABLE t (id int PRIMARY KEY, owner text DEFAULT current_user, n int);
ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON t USING (owner = current_user) WITH CHECK (n > 0);
CREATE TABLE u (id int PRIMARY KEY REFERENCES t);
ALTER TABLE u ENABLE ROW LEVEL SECURITY; ALTER TABLE u FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON u FOR SELECT USING (EXISTS (SELECT FROM t WHERE t.id = u.id));
CREATE POLICY me ON u TO CURRENT_USER USING (true);
-- change
ALTER TABLE t ADD COLUMN x int NOT NULL DEFAULT 4;
-- change
ALTER TABLE t NO FORCE ROW LEVEL SECURITY;
-- change
DROP POLICY mine ON t; ALTER TABLE t ALTER COLUMN n TYPE bigint; CREATE POLICY mine ON t USING (owner = current_user) WITH CHECK (n > 0);
-- change
DROP POLICY nobody ON u; ALTER TABLE t ALTER COLUMN id TYPE bigint;
CREATE POLICY nobody ON u FOR SELECT USING (EXISTS (SELECT FROM t WHERE t.id = u.id));
-- change
DROP TABLE u;
-- change
ALTER TABLE u ADD COLUMN t_id int REFERENCES t;

-- odd: rules
CREATE TABLE t (id int PRIMARY KEY, n int);
CREATE TABLE log (id int, n int);
CREATE RULE also AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.id, NEW.n);
CREATE RULE instead AS ON DELETE TO t DO INSTEAD NOTHING;
CREATE RULE upd AS ON UPDATE TO log DO INSTEAD UPDATE t SET n = NEW.n WHERE id = OLD.id;
CREATE VIEW v AS SELECT id, n FROM t;
CREATE RULE v_ins AS ON INSERT TO v DO INSTEAD INSERT INTO t VALUES (NEW.id, NEW.n) RETURNING id, n;
-- change
ALTER TABLE t ADD COLUMN x int NOT NULL DEFAULT 4;
-- change
DROP RULE also ON t; DROP RULE upd ON log; ALTER TABLE log ALTER COLUMN n TYPE bigint;
-- change
DROP VIEW v; DROP RULE upd ON log; DROP RULE also ON t; ALTER TABLE t ALTER COLUMN n TYPE bigint;
-- change
DROP TABLE log CASCADE;

-- odd: publications
CREATE TABLE t (id int, n int);
CREATE TABLE u (id int PRIMARY KEY, n int, secret text);
CREATE TABLE w (id int NOT NULL, n int);
CREATE UNIQUE INDEX w_id ON w (id);
ALTER TABLE w REPLICA IDENTITY USING INDEX w_id;
CREATE PUBLICATION part FOR TABLE t, u, w;
CREATE PUBLICATION every FOR ALL TABLES;
-- change
ALTER TABLE t ADD COLUMN x int NOT NULL DEFAULT 4;
-- change
ALTER TABLE u DROP COLUMN secret;
-- change
DROP TABLE t;
-- change
ALTER TABLE w ALTER COLUMN id TYPE bigint;
-- change
ALTER TABLE w REPLICA IDENTITY FULL; DROP INDEX w_id;
-- change
CREATE TABLE x (id int);

-- odd: publications of rows and columns
-- since 15
CREATE TABLE u (id int PRIMARY KEY, n int, secret text);
CREATE PUBLICATION cols FOR TABLE u (id, n) WHERE (id > 3);
CREATE PUBLICATION all_here FOR TABLES IN SCHEMA public;
-- change
ALTER TABLE u DROP COLUMN secret;
-- change
ALTER TABLE u ALTER COLUMN secret TYPE varchar(4);
-- change
CREATE TABLE v (id int);

-- odd: deferred constraints
CREATE EXTENSION btree_gist;
CREATE TABLE a (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, n int UNIQUE DEFERRABLE, r int4range,
    CONSTRAINT no_overlap EXCLUDE USING gist (r WITH &&) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE b (id int PRIMARY KEY, a int UNIQUE, c int,
    CONSTRAINT b_c FOREIGN KEY (c) REFERENCES b (a) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
-- change
ALTER TABLE a ALTER COLUMN n SET NOT NULL;
-- change
ALTER TABLE a DROP CONSTRAINT no_overlap, ADD CONSTRAINT no_overlap EXCLUDE USING gist (n WITH =, r WITH &&);
-- change
ALTER TABLE b ALTER CONSTRAINT b_c NOT DEFERRABLE;
-- change
ALTER TABLE b ALTER COLUMN a TYPE bigint;
-- change
ALTER TABLE a DROP CONSTRAINT a_pkey, ADD PRIMARY KEY (id);
-- change
ALTER TABLE b ADD COLUMN d int REFERENCES b (a);

-- odd: exclusion constraints
CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id int PRIMARY KEY, room int, during tstzrange NOT NULL, gone boolean,
    EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (NOT gone),
    EXCLUDE USING hash (room WITH =));
-- change
ALTER TABLE rooms ALTER COLUMN room TYPE bigint;
-- change
ALTER TABLE rooms DROP CONSTRAINT rooms_room_during_excl; ALTER TABLE rooms DROP COLUMN gone;
-- change
ALTER TABLE rooms ADD EXCLUDE USING gist ((id + 1) WITH =, tstzrange(lower(during), upper(during), '[]') WITH &&);
-- change
ALTER TABLE rooms ALTER COLUMN during DROP NOT NULL;

-- odd: odd names
CREATE SCHEMA "select";
CREATE TABLE "select"."Ta ble" ("Id" int PRIMARY KEY, "a""b" text DEFAULT 'it''s', "über" int CHECK ("über" > 0), "a.b" text,
    "x'; DROP TABLE y; --" int, "$1" int);
CREATE INDEX "In dex" ON "select"."Ta ble" (lower("a""b"), "a.b");
CREATE VIEW "select"."order" AS SELECT "Id" AS "group", "a.b" FROM "select"."Ta ble";
CREATE SEQUENCE "select"."Se quence";
-- change
ALTER TABLE "select"."Ta ble" ADD COLUMN "select" int DEFAULT nextval('"select"."Se quence"');
-- change
DROP VIEW "select"."order"; ALTER TABLE "select"."Ta ble" ALTER COLUMN "a.b" TYPE varchar(3), ADD UNIQUE ("a""b", "a.b");
-- change
COMMENT ON COLUMN "select"."Ta ble"."x'; DROP TABLE y; --" IS E'a\nb''c\\d';
-- change
ALTER TABLE "select"."Ta ble" DROP COLUMN "$1", DROP COLUMN "über";
-- change
DROP SCHEMA "select" CASCADE;

-- odd: names that collide
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY);
CREATE TABLE this_is_a_table_whose_name_is_so_long_that_names_are_cut_off (this_column_too_has_a_name_that_is_much_too_long_to_be_kept_1 int,
    this_column_too_has_a_name_that_is_much_too_long_to_be_kept_2 int, CHECK (this_column_too_has_a_name_that_is_much_too_long_to_be_kept_1 > 0),
    CHECK (this_column_too_has_a_name_that_is_much_too_long_to_be_kept_2 > 0));
CREATE TABLE t (x int REFERENCES a REFERENCES b, y int CHECK (y > 0) CHECK (y < 9) UNIQUE);
CREATE INDEX t_y_idx1 ON t (x);
-- change
ALTER TABLE t ADD FOREIGN KEY (x) REFERENCES a ON DELETE CASCADE;
-- change
CREATE INDEX ON t (y); CREATE INDEX ON t (y DESC); CREATE INDEX ON t (y) WHERE y > 3;
-- change
ALTER TABLE t ADD CHECK (y <> 4), ADD CHECK (y <> 5), ADD UNIQUE (y, x);
-- change
ALTER TABLE this_is_a_table_whose_name_is_so_long_that_names_are_cut_off ADD UNIQUE (this_column_too_has_a_name_that_is_much_too_long_to_be_kept_1),
    ADD UNIQUE (this_column_too_has_a_name_that_is_much_too_long_to_be_kept_2), ALTER COLUMN this_column_too_has_a_name_that_is_much_too_long_to_be_kept_1 SET NOT NULL,
    ALTER COLUMN this_column_too_has_a_name_that_is_much_too_long_to_be_kept_2 SET NOT NULL;
CREATE INDEX ON this_is_a_table_whose_name_is_so_long_that_names_are_cut_off (this_column_too_has_a_name_that_is_much_too_long_to_be_kept_1);
CREATE INDEX ON this_is_a_table_whose_name_is_so_long_that_names_are_cut_off (this_column_too_has_a_name_that_is_much_too_long_to_be_kept_2);
-- change
CREATE TABLE t_y_key1 (id serial); ALTER TABLE t ADD UNIQUE (y);

-- odd: what no kind reads
CREATE TABLE t (id int PRIMARY KEY, n int, s text);
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE FUNCTION same(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
CREATE FUNCTION to_n(text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1)';
CREATE TYPE pair AS (a int, b int);
CREATE CAST (pair AS text) WITH INOUT AS ASSIGNMENT;
CREATE TEXT SEARCH CONFIGURATION ts (COPY = simple);
CREATE FOREIGN DATA WRAPPER w;
CREATE SERVER s FOREIGN DATA WRAPPER w;
CREATE FOREIGN TABLE ft (id int, p pair) SERVER s;
CREATE VIEW v AS SELECT total(n) AS total, bool_or(n === 3) AS three FROM t;
CREATE INDEX ON t USING gin (to_tsvector('ts', s));
ALTER TABLE t ADD CHECK (n === id OR to_n(s) > 3);
CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC INSERT INTO t (id) VALUES (1); END;
CREATE FUNCTION atomic() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(n) FROM t WHERE s <> ''; END;
-- change
ALTER TABLE t ADD COLUMN x int DEFAULT to_n('abc');
-- change
DROP VIEW v; ALTER TABLE t ADD COLUMN y pair;
-- change
DROP FUNCTION atomic(); DROP VIEW v; ALTER TABLE t DROP COLUMN n CASCADE;
-- change
CREATE VIEW w AS SELECT f.id, f.p FROM ft f JOIN t USING (id);
-- change
ALTER FOREIGN TABLE ft ADD COLUMN z int;
-- change
ALTER TABLE t ALTER COLUMN s SET NOT NULL;
