-- odd: columns of a domain over an array
CREATE DOMAIN tags AS text[] CHECK (array_length(VALUE, 1) < 5);
CREATE DOMAIN more_tags AS tags NOT NULL;
CREATE TABLE t (id int PRIMARY KEY, tags tags DEFAULT '{a,b}');
-- change
ALTER TABLE t ADD COLUMN more more_tags DEFAULT '{c}';
-- change
ALTER TABLE t ADD COLUMN more tags[];
-- change
ALTER TABLE t ALTER COLUMN tags TYPE text[];
-- change
ALTER TABLE t ALTER COLUMN tags SET NOT NULL, ALTER COLUMN tags DROP DEFAULT;
-- change
CREATE INDEX ON t USING gin (tags);
-- change
DROP TABLE t;

-- odd: a new column of a domain that takes no NULL
CREATE DOMAIN code AS text NOT NULL;
CREATE DOMAIN counted AS int NOT NULL DEFAULT 5;
CREATE DOMAIN small AS int CHECK (VALUE IS NOT NULL AND VALUE < 100);
CREATE DOMAIN shaky AS text DEFAULT current_setting('app.shaky');
CREATE DOMAIN shaky_too AS shaky NOT NULL;
CREATE TABLE t (id int PRIMARY KEY, base text, n int);
-- change
ALTER TABLE t ADD COLUMN code code;
-- change
ALTER TABLE t ADD COLUMN code code DEFAULT 'x';
-- change
ALTER TABLE t ADD COLUMN counted counted;
-- change
ALTER TABLE t ADD COLUMN small small;
-- change
ALTER TABLE t ADD COLUMN small small DEFAULT 200;
-- change
ALTER TABLE t ALTER COLUMN base TYPE code;
-- change
ALTER TABLE t ALTER COLUMN n TYPE small;
-- change
ALTER TABLE t ADD COLUMN code code GENERATED ALWAYS AS (base) STORED;
-- change
CREATE TABLE u (code code, PRIMARY KEY (code));
-- change
DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, base text, n int, a shaky, b shaky DEFAULT 'b', c shaky_too);

-- odd: a domain that one side alone has
CREATE TABLE t (id int PRIMARY KEY, note text);
-- change
CREATE DOMAIN word AS text CHECK (VALUE <> '');
ALTER TABLE t ADD COLUMN word word;
-- change
CREATE DOMAIN word AS text CHECK (VALUE <> '');
ALTER TABLE t ALTER COLUMN note TYPE word;
-- change
CREATE DOMAIN word AS text CHECK (VALUE <> '');
CREATE TABLE u (word word);
-- change
CREATE TYPE pair AS (a int, b int);
CREATE TABLE u (pair pair, pairs pair[]);
-- change
CREATE TYPE span AS RANGE (subtype = float8);
ALTER TABLE t ADD COLUMN span span, ADD EXCLUDE USING gist (span WITH &&);
-- change
CREATE FUNCTION three() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 3';
ALTER TABLE t ADD COLUMN three int DEFAULT three(), ADD CHECK (id <> three());
CREATE INDEX ON t ((id + three()));
-- change
CREATE FUNCTION three() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 3';
CREATE VIEW v AS SELECT three() AS three, id FROM t;

-- odd: enums everywhere
CREATE TYPE mood AS ENUM ('low', 'mid', 'high');
CREATE DOMAIN mild AS mood CHECK (VALUE <> 'high');
CREATE FUNCTION cheer(m mood) RETURNS mood LANGUAGE sql IMMUTABLE AS $$SELECT 'high'::mood$$;
CREATE TABLE t (id int PRIMARY KEY, mood mood DEFAULT 'mid', moods mood[] DEFAULT '{low,high}', mild mild,
    up mood GENERATED ALWAYS AS (CASE WHEN mood = 'low' THEN 'mid'::mood ELSE 'high'::mood END) STORED,
    CHECK (mood <> 'low' OR 'high' = ANY (moods)));
CREATE INDEX ON t (mood) WHERE mood <> 'low';
CREATE VIEW v AS SELECT mood, moods FROM t WHERE mood > 'low';
-- change
ALTER TYPE mood ADD VALUE 'top';
-- change
ALTER TYPE mood RENAME VALUE 'mid' TO 'so-so';
-- change
ALTER TABLE t DROP COLUMN up, DROP COLUMN mild;
-- change
ALTER TABLE t ALTER COLUMN mood DROP DEFAULT, ALTER COLUMN mood SET NOT NULL;

-- odd: enums that lose a label
CREATE TYPE mood AS ENUM ('low', 'mid', 'high');
CREATE TABLE p (id int, mood mood DEFAULT 'mid') PARTITION BY LIST (mood);
CREATE TABLE p_low PARTITION OF p FOR VALUES IN ('low');
CREATE TABLE t (mood mood DEFAULT 'low', other mood[]);
CREATE MATERIALIZED VIEW mv AS SELECT mood, count(*) FROM t GROUP BY mood;
-- change
DROP MATERIALIZED VIEW mv; DROP TABLE p; DROP TABLE t; DROP TYPE mood;
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TABLE t (mood mood DEFAULT 'low', other mood[]);
CREATE MATERIALIZED VIEW mv AS SELECT mood, count(*) FROM t GROUP BY mood;

-- odd: types without a cast
CREATE TYPE pair AS (a int, b text);
CREATE TABLE t (id int PRIMARY KEY, a text DEFAULT 'x', b int, c jsonb, d pair, e text[], f point, g uuid, h bytea);
-- change
ALTER TABLE t ALTER COLUMN a DROP DEFAULT, ALTER COLUMN a TYPE text[] USING ARRAY[a];
-- change
ALTER TABLE t ALTER COLUMN b TYPE uuid USING NULL;
-- change
ALTER TABLE t ALTER COLUMN c TYPE pair USING NULL;
-- change
ALTER TABLE t ALTER COLUMN d TYPE text, ALTER COLUMN e TYPE text;
-- change
ALTER TABLE t ALTER COLUMN f TYPE text, ALTER COLUMN g TYPE text;
-- change
ALTER TABLE t ALTER COLUMN h TYPE text USING encode(h, 'hex');
-- change
ALTER TABLE t ALTER COLUMN b TYPE boolean USING b <> 0;
-- change
ALTER TABLE t ALTER COLUMN c TYPE json, ALTER COLUMN b TYPE money;

-- odd: row types
CREATE TABLE base (id int PRIMARY KEY, name text);
CREATE FUNCTION label(r base) RETURNS text LANGUAGE sql STABLE AS 'SELECT r.name';
CREATE FUNCTION every() RETURNS SETOF base LANGUAGE sql STABLE AS 'SELECT * FROM base';
CREATE TABLE holder (id int, one base, many base[]);
CREATE VIEW labelled AS SELECT b.id, label(b) AS label, b AS whole FROM base b;
CREATE FUNCTION views() RETURNS SETOF labelled LANGUAGE sql STABLE AS 'SELECT * FROM labelled';
-- change
DROP TABLE holder; ALTER TABLE base ADD COLUMN more int DEFAULT 3;
-- change
ALTER TABLE holder ADD COLUMN two base;
-- change
DROP TABLE holder;
-- change
ALTER TABLE base ALTER COLUMN name SET NOT NULL;
-- change
DROP TABLE holder; DROP FUNCTION views(); DROP VIEW labelled; ALTER TABLE base ALTER COLUMN id TYPE bigint;
CREATE VIEW labelled AS SELECT b.id, label(b) AS label, b AS whole FROM base b;
CREATE FUNCTION views() RETURNS SETOF labelled LANGUAGE sql STABLE AS 'SELECT * FROM labelled';
-- change
DROP TABLE holder; ALTER TABLE base SET UNLOGGED;
-- change
DROP FUNCTION views(); DROP VIEW labelled;

-- odd: typed tables
CREATE TYPE pair AS (a int, b text);
CREATE TABLE typed OF pair (a WITH OPTIONS DEFAULT 3, CHECK (a > 0), PRIMARY KEY (a));
CREATE TABLE plain (a int DEFAULT 3, b text, CHECK (a > 0));
CREATE TABLE typed_parted OF pair PARTITION BY RANGE (a);
-- change
ALTER TABLE plain OF pair;
-- change
ALTER TABLE typed NOT OF;
-- change
ALTER TABLE typed ALTER COLUMN b SET DEFAULT 'x', ALTER COLUMN b SET NOT NULL;
-- change
ALTER TYPE pair ADD ATTRIBUTE c int CASCADE;
-- change
CREATE TABLE typed_parted_1 PARTITION OF typed_parted FOR VALUES FROM (1) TO (5);

-- odd: a column that holds a row of another table
CREATE TABLE one (id integer PRIMARY KEY, a integer, b text);
CREATE DOMAIN known AS one;
CREATE TABLE held (id integer PRIMARY KEY, one one, many one[]);
-- change
ALTER TABLE one DROP b;
-- change
ALTER TABLE one ADD c text;
-- change
DROP TABLE held;
ALTER TABLE one ALTER a TYPE bigint;
CREATE TABLE held (id integer PRIMARY KEY, one one, many one[]);
-- change
DROP TABLE held;
ALTER TABLE one ADD c integer NOT NULL DEFAULT 7;
CREATE TABLE held (id integer PRIMARY KEY, one one, many one[]);
