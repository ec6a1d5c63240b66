//! What people wrote over the years.

/// Name, way there and way back of each, after the laboratory.
pub(crate) const HISTORY: [[&str; 3]; 7] = [
    [
        "2019-03-01-000000_create_crates",
        "CREATE EXTENSION IF NOT EXISTS ltree;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE FUNCTION canon_name(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT replace(lower($1), '-', '_') $$;
CREATE TABLE crates (
    id SERIAL PRIMARY KEY,
    name VARCHAR(64) NOT NULL CONSTRAINT crate_name CHECK (name ~ '^[A-Za-z][A-Za-z0-9_-]*$'),
    description TEXT,
    textsearchable TSVECTOR NOT NULL DEFAULT '',
    created_at TIMESTAMP NOT NULL DEFAULT now(),
    updated_at TIMESTAMP NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX index_crate_name ON crates (canon_name(name));",
        "DROP TABLE crates;
DROP FUNCTION canon_name(text); DROP EXTENSION citext; DROP EXTENSION ltree;",
    ],
    [
        "2019-05-01-000000_updated_at",
        "CREATE TABLE versions (
    id SERIAL PRIMARY KEY,
    crate_id INTEGER NOT NULL REFERENCES crates (id) ON DELETE CASCADE,
    num VARCHAR NOT NULL,
    features JSONB NOT NULL DEFAULT '{}',
    yanked BOOLEAN NOT NULL DEFAULT 'f',
    published_by BIGINT REFERENCES users (id),
    created_at TIMESTAMP NOT NULL DEFAULT now(),
    updated_at TIMESTAMP NOT NULL DEFAULT now(),
    CONSTRAINT unique_num UNIQUE (crate_id, num)
);
CREATE INDEX index_versions_crate_id ON versions (crate_id);
CREATE FUNCTION set_updated_at() RETURNS trigger AS $$
BEGIN
    IF (NEW IS DISTINCT FROM OLD AND NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) THEN
        NEW.updated_at := current_timestamp;
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER trigger_crates_set_updated_at BEFORE UPDATE ON crates FOR EACH ROW EXECUTE PROCEDURE set_updated_at();
CREATE TRIGGER trigger_versions_set_updated_at BEFORE UPDATE ON versions FOR EACH ROW EXECUTE PROCEDURE set_updated_at();",
        "DROP TRIGGER trigger_versions_set_updated_at ON versions;
DROP TRIGGER trigger_crates_set_updated_at ON crates;
DROP FUNCTION set_updated_at();
DROP TABLE versions;",
    ],
    [
        "2019-07-01-000000_search",
        "CREATE TABLE categories (
    id SERIAL PRIMARY KEY,
    slug VARCHAR NOT NULL UNIQUE,
    path LTREE NOT NULL,
    crates_cnt INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX path_gist_categories_idx ON categories USING GIST (path);
CREATE TABLE crates_categories (
    crate_id INTEGER NOT NULL REFERENCES crates (id) ON DELETE CASCADE,
    category_id INTEGER NOT NULL REFERENCES categories (id) ON DELETE CASCADE,
    PRIMARY KEY (crate_id, category_id)
);
CREATE FUNCTION update_categories_crates_cnt() RETURNS trigger AS $$
BEGIN
    IF (TG_OP = 'INSERT') THEN
        UPDATE categories SET crates_cnt = crates_cnt + 1 WHERE id = NEW.category_id;
        RETURN NEW;
    ELSIF (TG_OP = 'DELETE') THEN
        UPDATE categories SET crates_cnt = crates_cnt - 1 WHERE id = OLD.category_id;
        RETURN OLD;
    END IF;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER trigger_update_categories_crates_cnt BEFORE INSERT OR DELETE ON crates_categories
    FOR EACH ROW EXECUTE PROCEDURE update_categories_crates_cnt();
CREATE FUNCTION trigger_crates_name_search() RETURNS trigger AS $$
DECLARE
    kws TEXT;
BEGIN
    SELECT array_to_string(array_agg(slug), ',') INTO kws FROM crates_categories
        INNER JOIN categories ON category_id = categories.id WHERE crate_id = NEW.id;
    NEW.textsearchable := setweight(to_tsvector('pg_catalog.english', coalesce(NEW.name, '')), 'A')
        || setweight(to_tsvector('pg_catalog.english', coalesce(kws, '')), 'B');
    RETURN NEW;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER trigger_crates_tsvector_update BEFORE INSERT OR UPDATE OF updated_at, name, description ON crates
    FOR EACH ROW EXECUTE PROCEDURE trigger_crates_name_search();
CREATE INDEX index_crates_name_search ON crates USING gin (textsearchable);",
        "DROP INDEX index_crates_name_search;
DROP TRIGGER trigger_crates_tsvector_update ON crates;
DROP FUNCTION trigger_crates_name_search();
DROP TABLE crates_categories; DROP FUNCTION update_categories_crates_cnt(); DROP TABLE categories;",
    ],
    [
        "2020-01-01-000000_downloads",
        "CREATE TABLE version_downloads (
    version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    downloads INTEGER NOT NULL DEFAULT 1,
    date DATE NOT NULL DEFAULT CURRENT_DATE,
    PRIMARY KEY (version_id, date)
);
CREATE MATERIALIZED VIEW recent_crate_downloads (crate_id, downloads) AS
    SELECT crate_id, SUM(version_downloads.downloads) FROM version_downloads
    INNER JOIN versions ON version_downloads.version_id = versions.id
    WHERE version_downloads.date > DATE '2020-01-01' GROUP BY crate_id;
CREATE UNIQUE INDEX recent_crate_downloads_crate_id ON recent_crate_downloads (crate_id);",
        "DROP MATERIALIZED VIEW recent_crate_downloads; DROP TABLE version_downloads;",
    ],
    [
        "2020-04-01-000000_owners",
        "CREATE TABLE \"Odd Name's\" (
    \"select\" INTEGER PRIMARY KEY,
    \"Größe (cm)\" NUMERIC(6, 2) CONSTRAINT \"größer als 0\" CHECK (\"Größe (cm)\" > 0),
    \"a.b\" citext
);
CREATE INDEX \"Index of \"\"odd\"\" things\" ON \"Odd Name's\" (\"a.b\");
INSERT INTO \"Odd Name's\" VALUES (1, 1.5, 'X');
ALTER TABLE crates ADD CONSTRAINT no_blank CHECK (description <> '') NOT VALID;
ALTER TABLE versions ADD CONSTRAINT num_is_semver CHECK (num ~ '^[0-9]+[.][0-9]+[.][0-9]+') NOT VALID;
ALTER TABLE versions ADD COLUMN edition VARCHAR;
CREATE TYPE owner_kind AS ENUM ('user', 'team');
CREATE DOMAIN github_login AS citext CHECK (VALUE ~ '^[a-z0-9-]+$');
CREATE TABLE crate_owners (
    crate_id INTEGER NOT NULL REFERENCES crates (id),
    owner_id INTEGER NOT NULL,
    owner_kind owner_kind NOT NULL DEFAULT 'user',
    login github_login,
    created_by BIGINT REFERENCES users (id),
    deleted BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (crate_id, owner_id, owner_kind)
) WITH (autovacuum_enabled = on, fillfactor = 90);
CREATE INDEX owners_who_are_there ON crate_owners (owner_id) WHERE NOT deleted;",
        "DROP TABLE crate_owners; DROP DOMAIN github_login; DROP TYPE owner_kind;
ALTER TABLE versions DROP COLUMN edition;
ALTER TABLE versions DROP CONSTRAINT num_is_semver;
ALTER TABLE crates DROP CONSTRAINT no_blank;
DROP TABLE \"Odd Name's\";",
    ],
    [
        "2021-02-01-000000_crate_downloads",
        "CREATE TABLE default_versions (
    crate_id INTEGER PRIMARY KEY REFERENCES crates ON DELETE CASCADE,
    version_id INTEGER NOT NULL UNIQUE REFERENCES versions DEFERRABLE INITIALLY DEFERRED
);
CREATE FUNCTION verify_default_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one versions;
BEGIN
    SELECT * INTO one FROM versions WHERE id = NEW.version_id;
    IF one.crate_id IS DISTINCT FROM NEW.crate_id THEN
        RAISE EXCEPTION 'the default version of crate % is another crate''s', NEW.crate_id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER verify_default_version AFTER INSERT OR UPDATE ON default_versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION verify_default_version();
CREATE TABLE crate_downloads (
    crate_id INTEGER PRIMARY KEY REFERENCES crates ON DELETE CASCADE,
    downloads BIGINT NOT NULL DEFAULT 0
);
INSERT INTO crate_downloads (crate_id) SELECT id FROM crates;
CREATE FUNCTION insert_crate_downloads_row() RETURNS trigger AS $$
BEGIN
    INSERT INTO crate_downloads (crate_id) VALUES (NEW.id);
    RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER insert_crate_downloads_row AFTER INSERT ON crates FOR EACH ROW EXECUTE FUNCTION insert_crate_downloads_row();",
        "DROP TRIGGER insert_crate_downloads_row ON crates; DROP FUNCTION insert_crate_downloads_row(); DROP TABLE crate_downloads;
DROP TABLE default_versions; DROP FUNCTION verify_default_version();",
    ],
    [
        "2023-01-01-000000_privacy",
        "ALTER TABLE versions RENAME published_by TO publisher_id;
CREATE VIEW publishers AS SELECT DISTINCT u.id, u.email FROM users u JOIN versions v ON v.publisher_id = u.id;
ALTER TABLE crate_owners ENABLE ROW LEVEL SECURITY;
CREATE POLICY those_who_are_there ON crate_owners USING (NOT deleted);
COMMENT ON TABLE crates IS 'Each package, once.';
ALTER TYPE owner_kind RENAME VALUE 'team' TO 'github_team';",
        "ALTER TYPE owner_kind RENAME VALUE 'github_team' TO 'team';
COMMENT ON TABLE crates IS NULL;
DROP POLICY those_who_are_there ON crate_owners;
ALTER TABLE crate_owners DISABLE ROW LEVEL SECURITY;
DROP VIEW publishers; ALTER TABLE versions RENAME publisher_id TO published_by;",
    ],
];
