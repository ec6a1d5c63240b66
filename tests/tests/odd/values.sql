-- odd: defaults that cannot be computed
CREATE FUNCTION never() RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RAISE EXCEPTION 'never'; END$$;
CREATE FUNCTION no_more() RETURNS int LANGUAGE plpgsql VOLATILE AS $$BEGIN RAISE EXCEPTION 'no more'; END$$;
CREATE FUNCTION unmet(what text) RETURNS text LANGUAGE sql STABLE AS $$SELECT current_setting('app.' || what)$$;
CREATE TABLE t (id int PRIMARY KEY);
CREATE FUNCTION first_one() RETURNS int LANGUAGE sql STABLE AS 'SELECT id FROM public.t ORDER BY id LIMIT 1';
CREATE TABLE parent (id int);
CREATE TABLE child (extra int) INHERITS (parent);
CREATE TABLE parted (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
-- change
ALTER TABLE t ADD COLUMN tenant text; ALTER TABLE t ALTER COLUMN tenant SET DEFAULT current_setting('app.tenant');
-- change
ALTER TABLE t ADD COLUMN tenant text; ALTER TABLE t ALTER COLUMN tenant SET DEFAULT current_setting('app.tenant'), ALTER COLUMN tenant SET NOT NULL;
-- change
ALTER TABLE t ADD COLUMN tenant int; ALTER TABLE t ALTER COLUMN tenant SET DEFAULT current_setting('app.tenant', true)::int;
-- change
ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ALTER COLUMN a SET DEFAULT never();
-- change
ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ALTER COLUMN a SET DEFAULT no_more();
-- change
ALTER TABLE t ADD COLUMN a text; ALTER TABLE t ALTER COLUMN a SET DEFAULT unmet('x');
-- change
ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ALTER COLUMN a SET DEFAULT 1 / 0;
-- change
ALTER TABLE t ADD COLUMN a oid; ALTER TABLE t ALTER COLUMN a SET DEFAULT 'not_there'::text::regclass;
-- change
ALTER TABLE t ADD COLUMN a bigint; ALTER TABLE t ALTER COLUMN a SET DEFAULT nextval('not_there'::text::regclass);
-- change
ALTER TABLE t ADD COLUMN a date; ALTER TABLE t ALTER COLUMN a SET DEFAULT 'no date'::text::date;
-- change
ALTER TABLE t ADD COLUMN a smallint; ALTER TABLE t ALTER COLUMN a SET DEFAULT 70000;
-- change
ALTER TABLE t ADD COLUMN a varchar(2); ALTER TABLE t ALTER COLUMN a SET DEFAULT 'too long';
-- change
ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ALTER COLUMN a SET DEFAULT first_one();
-- change
ALTER TABLE parent ADD COLUMN tenant text; ALTER TABLE parent ALTER COLUMN tenant SET DEFAULT current_setting('app.tenant');
-- change
ALTER TABLE parted ADD COLUMN tenant text; ALTER TABLE parted ALTER COLUMN tenant SET DEFAULT current_setting('app.tenant');
-- change
CREATE TABLE u (tenant text DEFAULT current_setting('app.tenant') NOT NULL, a int DEFAULT never());
-- change
ALTER TABLE t ALTER COLUMN id SET DEFAULT never();

-- odd: defaults that cannot be computed, on rows
CREATE FUNCTION never() RETURNS int LANGUAGE plpgsql STABLE AS $$BEGIN RAISE EXCEPTION 'never'; END$$;
CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT never(), b text DEFAULT current_setting('app.b') NOT NULL, c int DEFAULT 1 / 0);
INSERT INTO t VALUES (1, 2, 'b', 3);
-- change
ALTER TABLE t ADD COLUMN d int DEFAULT 4;
-- change
ALTER TABLE t DROP COLUMN a, DROP COLUMN c;
-- change
ALTER TABLE t DROP COLUMN b;
-- change
ALTER TABLE t ADD COLUMN d int; ALTER TABLE t ALTER COLUMN d SET DEFAULT never();
-- change
ALTER TABLE t ALTER COLUMN c TYPE bigint;

-- odd: expressions that fail on some rows
CREATE FUNCTION halved(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN IF n % 2 = 1 THEN RAISE EXCEPTION 'odd'; END IF; RETURN n / 2; END$$;
CREATE TABLE t (id int PRIMARY KEY, n int, s text);
INSERT INTO t VALUES (1, 0, 'x'), (2, 1, NULL);
-- change
TRUNCATE t; CREATE INDEX ON t ((10 / n));
-- change
TRUNCATE t; CREATE INDEX ON t (id) WHERE 10 / n > 1;
-- change
TRUNCATE t; CREATE INDEX ON t (halved(n));
-- change
ALTER TABLE t ADD CHECK (10 / n > 100) NOT VALID;
-- change
ALTER TABLE t ADD COLUMN g int; ALTER TABLE t DROP COLUMN g, ADD CHECK (halved(n) > 0) NOT VALID;
-- change
CREATE MATERIALIZED VIEW mv AS SELECT 10 / n AS x FROM t WITH NO DATA;
-- change
CREATE MATERIALIZED VIEW mv AS SELECT current_setting('app.x') AS x WITH NO DATA;
CREATE INDEX ON mv (x);
-- change
CREATE MATERIALIZED VIEW mv AS SELECT 1 / 0 AS x WITH NO DATA;
-- change
CREATE MATERIALIZED VIEW one AS SELECT current_setting('app.x') AS x WITH NO DATA;
CREATE MATERIALIZED VIEW two AS SELECT x || 'y' AS x FROM one WITH NO DATA;
CREATE UNIQUE INDEX ON two (x);
-- change
CREATE VIEW v AS SELECT 1 / 0 AS x, current_setting('app.x') AS y;
-- change
CREATE STATISTICS st ON (10 / n), s FROM t;

-- odd: the same without rows of its own
CREATE FUNCTION halved(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN IF n % 2 = 1 THEN RAISE EXCEPTION 'odd'; END IF; RETURN n / 2; END$$;
CREATE TABLE t (id int PRIMARY KEY, n int, s text);
-- change
CREATE INDEX ON t ((10 / n));
-- change
CREATE INDEX ON t (id) WHERE 10 / n > 1;
-- change
CREATE INDEX ON t (halved(n));
-- change
CREATE UNIQUE INDEX ON t ((s::int));
-- change
ALTER TABLE t ADD COLUMN g int GENERATED ALWAYS AS (10 / n) STORED;
-- change
ALTER TABLE t ADD COLUMN g int GENERATED ALWAYS AS (halved(n)) STORED;
-- change
ALTER TABLE t ADD CHECK (10 / n > 1);
-- change
ALTER TABLE t ADD CHECK (halved(n) > 0);
-- change
ALTER TABLE t ADD EXCLUDE USING btree ((10 / n) WITH =);
-- change
DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, n int, s text, CHECK (1 / 0 > n));
-- change
CREATE STATISTICS st ON (10 / n), s FROM t;
-- change
ALTER TABLE t ALTER COLUMN s TYPE int USING s::int;
-- change
ALTER TABLE t ALTER COLUMN n TYPE smallint;

-- odd: generated columns
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, d int GENERATED ALWAYS AS (twice(n)) STORED NOT NULL,
    e text GENERATED ALWAYS AS (n::text || '!') STORED, UNIQUE (d));
CREATE INDEX ON t (e) WHERE d > 3;
CREATE VIEW v AS SELECT d, e FROM t;
-- change
ALTER TABLE t ALTER COLUMN d DROP EXPRESSION;
-- change
ALTER TABLE t ALTER COLUMN d DROP EXPRESSION, ALTER COLUMN d SET DEFAULT 4;
-- change
DROP VIEW v; ALTER TABLE t DROP COLUMN e; ALTER TABLE t ADD COLUMN e text GENERATED ALWAYS AS (n::text || '?') STORED;
-- change
ALTER TABLE t ADD COLUMN f int GENERATED ALWAYS AS (twice(n) + id) STORED CHECK (f > 0);
-- change
DROP VIEW v; ALTER TABLE t DROP COLUMN d, DROP COLUMN e; ALTER TABLE t ALTER COLUMN n TYPE bigint;

-- odd: identities and sequences
CREATE SEQUENCE s AS smallint CYCLE MAXVALUE 10;
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT -1 MINVALUE -9 MAXVALUE 9), n bigint DEFAULT nextval('s'),
    m serial, PRIMARY KEY (id));
ALTER SEQUENCE s OWNED BY t.n;
-- change
ALTER TABLE t ALTER COLUMN id DROP IDENTITY;
-- change
ALTER TABLE t ALTER COLUMN id TYPE smallint;
-- change
ALTER TABLE t ALTER COLUMN m DROP DEFAULT; DROP SEQUENCE t_m_seq;
-- change
ALTER SEQUENCE s OWNED BY NONE;
-- change
ALTER TABLE t DROP COLUMN n;
-- change
ALTER TABLE t ALTER COLUMN m TYPE bigint; ALTER SEQUENCE t_m_seq AS bigint;
