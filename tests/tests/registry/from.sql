-- A public registry of packages, in the manner of several that there are.
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE EXTENSION pgcrypto;

CREATE TYPE state AS ENUM ('queued', 'running', 'failed', 'done');
CREATE DOMAIN email AS citext CHECK (VALUE ~ '^[^@\s]+@[^@\s]+\.[a-z]{2,}$');
CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);

CREATE FUNCTION canon_name(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT replace(lower($1), '-', '_') $$;
CREATE FUNCTION is_semver(version text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN version ~ '^[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?$';
END $$;
CREATE FUNCTION random_token(length integer) RETURNS text LANGUAGE sql AS
    $$ SELECT encode(public.gen_random_bytes(length), 'hex') $$;
CREATE FUNCTION to_semver_triple(version text) RETURNS integer[] LANGUAGE sql IMMUTABLE AS
    $$ SELECT string_to_array(split_part(version, '-', 1), '.')::integer[] $$;

CREATE TABLE users (
    id serial PRIMARY KEY,
    login text NOT NULL CHECK (login ~ '^[a-z][a-z0-9_]{2,30}$'),
    email email,
    avatar text CHECK (avatar LIKE 'https://%'),
    is_admin boolean NOT NULL DEFAULT false,
    publish_notifications boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_login ON users (lower(login));

CREATE TABLE emails (
    id serial PRIMARY KEY,
    user_id integer NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE,
    email citext NOT NULL CHECK (email LIKE '%@%.%' AND char_length(email) BETWEEN 6 AND 120),
    token text NOT NULL DEFAULT random_token(16),
    verified boolean NOT NULL DEFAULT false
);

CREATE TABLE api_tokens (
    id bigserial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    token bytea NOT NULL UNIQUE CHECK (octet_length(token) = 32),
    name text NOT NULL CHECK (length(btrim(name)) > 0),
    scopes text[] CHECK (scopes <@ ARRAY['publish-new', 'publish-update', 'yank']),
    crate_scopes text[],
    expired_at timestamp,
    revoked boolean NOT NULL DEFAULT false,
    last_ip inet CHECK (family(last_ip) = 4 AND masklen(last_ip) = 32)
);

CREATE TABLE crates (
    id serial PRIMARY KEY,
    name varchar(64) NOT NULL CONSTRAINT crate_name CHECK (name ~ '^[A-Za-z][A-Za-z0-9_-]*$' AND length(name) <= 64),
    description text,
    homepage text CHECK (homepage IS NULL OR homepage ~* '^https?://'),
    max_features smallint CHECK (max_features > 0 AND max_features < 500),
    score percent NOT NULL DEFAULT 0,
    newest_num text,
    textsearchable tsvector NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (updated_at >= created_at)
);
CREATE UNIQUE INDEX crates_name ON crates (canon_name(name));
ALTER TABLE crates ADD CONSTRAINT no_blank CHECK (description <> '') NOT VALID;

CREATE TABLE crate_downloads (
    crate_id integer PRIMARY KEY REFERENCES crates ON DELETE CASCADE,
    downloads bigint NOT NULL DEFAULT 0 CHECK (downloads >= 0)
);

CREATE TABLE versions (
    id serial PRIMARY KEY,
    crate_id integer NOT NULL REFERENCES crates ON DELETE CASCADE,
    num text NOT NULL CHECK (is_semver(num)),
    num_triple integer[] GENERATED ALWAYS AS (to_semver_triple(num)) STORED,
    checksum char(64) NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
    features jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(features) = 'object'),
    crate_size integer CHECK (crate_size >= 0),
    edition smallint NOT NULL CHECK (edition IN (2015, 2018, 2021, 2024)),
    yanked boolean NOT NULL DEFAULT false,
    yank_message text,
    published_by integer REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (crate_id, num),
    CHECK ((yank_message IS NULL) OR yanked)
);

CREATE TABLE default_versions (
    crate_id integer PRIMARY KEY REFERENCES crates ON DELETE CASCADE,
    version_id integer NOT NULL UNIQUE REFERENCES versions DEFERRABLE INITIALLY DEFERRED,
    num_versions integer CHECK (num_versions > 0)
);

CREATE TABLE dependencies (
    id serial PRIMARY KEY,
    version_id integer NOT NULL REFERENCES versions ON DELETE CASCADE,
    crate_id integer NOT NULL REFERENCES crates,
    req varchar NOT NULL CHECK (req ~ '^[\^~=*<>]'),
    kind smallint NOT NULL DEFAULT 0 CHECK (kind IN (0, 1, 2)),
    optional boolean NOT NULL,
    explicit_name text CHECK (explicit_name ~ '^_?[a-z]' AND explicit_name <> 'crate')
);

CREATE TABLE reverse_dependencies (
    crate_id integer NOT NULL REFERENCES crates ON DELETE CASCADE,
    dependent_id integer NOT NULL REFERENCES crates ON DELETE CASCADE,
    PRIMARY KEY (crate_id, dependent_id),
    CHECK (crate_id <> dependent_id)
);

CREATE TABLE categories (
    id serial PRIMARY KEY,
    category text NOT NULL UNIQUE,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*(::[a-z0-9]+(-[a-z0-9]+)*)*$'),
    path ltree NOT NULL UNIQUE CHECK (nlevel(path) >= 2 AND path <@ 'root'),
    crates_cnt integer NOT NULL DEFAULT 0
);

CREATE TABLE crates_categories (
    crate_id integer NOT NULL REFERENCES crates ON DELETE CASCADE,
    category_id integer NOT NULL REFERENCES categories ON DELETE CASCADE,
    PRIMARY KEY (crate_id, category_id)
);

CREATE TABLE keywords (
    id serial PRIMARY KEY,
    keyword text NOT NULL UNIQUE CHECK (keyword = lower(keyword) AND length(keyword) BETWEEN 2 AND 20),
    crates_cnt integer NOT NULL DEFAULT 0
);

CREATE TABLE crates_keywords (
    crate_id integer NOT NULL REFERENCES crates ON DELETE CASCADE,
    keyword_id integer NOT NULL REFERENCES keywords ON DELETE CASCADE,
    PRIMARY KEY (crate_id, keyword_id)
);

CREATE TABLE crate_owners (
    crate_id integer NOT NULL REFERENCES crates,
    owner_id integer NOT NULL,
    owner_kind integer NOT NULL CHECK (owner_kind = 0 OR owner_kind = 1),
    created_by integer REFERENCES users,
    deleted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (crate_id, owner_id, owner_kind)
);

CREATE TABLE version_downloads (
    version_id integer NOT NULL REFERENCES versions,
    date date NOT NULL,
    downloads integer NOT NULL DEFAULT 1 CHECK (downloads > 0),
    PRIMARY KEY (version_id, date)
) PARTITION BY RANGE (date);
CREATE TABLE version_downloads_2025 PARTITION OF version_downloads FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE version_downloads_2026 PARTITION OF version_downloads FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

CREATE TABLE teams (
    id integer PRIMARY KEY,
    login text NOT NULL CHECK (login LIKE 'github:%:%'),
    parent_id integer REFERENCES teams,
    lead_id integer,
    org bigint NOT NULL
);
CREATE TABLE team_members (
    id integer PRIMARY KEY,
    team_id integer NOT NULL REFERENCES teams DEFERRABLE INITIALLY DEFERRED,
    user_id integer NOT NULL REFERENCES users
);
ALTER TABLE teams ADD FOREIGN KEY (lead_id) REFERENCES team_members;

CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    data jsonb NOT NULL CHECK (data ? 'version'),
    state state NOT NULL DEFAULT 'queued',
    retries integer NOT NULL DEFAULT 0,
    during tstzrange,
    CHECK (state <> 'failed' OR retries > 0)
);

CREATE TABLE audit (
    id bigserial PRIMARY KEY,
    relation text NOT NULL,
    action text NOT NULL CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    row_id integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE metadata (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    total_downloads bigint NOT NULL
);

CREATE TABLE reserved_names (
    name text PRIMARY KEY
);
CREATE TABLE publish_limits (
    user_id integer PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    tokens integer NOT NULL,
    last_refill timestamp NOT NULL
);

-- updated_at, as Diesel makes it.
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW IS DISTINCT FROM OLD AND NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) THEN
        NEW.updated_at := current_timestamp;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER set_updated_at BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON crates FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON versions FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE FUNCTION touch_crate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE crates SET updated_at = now() WHERE id = OLD.crate_id;
        RETURN OLD;
    END IF;
    UPDATE crates
    SET updated_at = now()
    WHERE id = NEW.crate_id;
    RETURN NEW;
END $$;
CREATE TRIGGER touch_crate AFTER INSERT OR DELETE OR UPDATE ON versions FOR EACH ROW EXECUTE FUNCTION touch_crate();

CREATE FUNCTION update_textsearchable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.textsearchable := setweight(to_tsvector('simple', NEW.name), 'A')
        || setweight(to_tsvector('simple', coalesce(NEW.description, '')), 'B');
    RETURN NEW;
END $$;
CREATE TRIGGER textsearchable BEFORE INSERT OR UPDATE OF name, description ON crates
    FOR EACH ROW EXECUTE FUNCTION update_textsearchable();

CREATE FUNCTION ensure_not_reserved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM reserved_names WHERE canon_name(name) = canon_name(NEW.name)) THEN
        RAISE EXCEPTION 'cannot publish a crate with a reserved name';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ensure_not_reserved BEFORE INSERT OR UPDATE ON crates FOR EACH ROW EXECUTE FUNCTION ensure_not_reserved();

CREATE FUNCTION insert_crate_downloads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO crate_downloads (crate_id) VALUES (NEW.id) ON CONFLICT (crate_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER insert_crate_downloads AFTER INSERT ON crates FOR EACH ROW EXECUTE FUNCTION insert_crate_downloads();

CREATE FUNCTION count_categories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE categories SET crates_cnt = crates_cnt + 1 WHERE id = NEW.category_id;
        RETURN NEW;
    END IF;
    UPDATE categories SET crates_cnt = crates_cnt - 1 WHERE id = OLD.category_id;
    RETURN OLD;
END $$;
CREATE TRIGGER count_categories BEFORE INSERT OR DELETE ON crates_categories
    FOR EACH ROW EXECUTE FUNCTION count_categories();

CREATE FUNCTION rebuild_reverse_dependencies(ids integer[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one integer;
BEGIN
    FOREACH one IN ARRAY ids LOOP
        DELETE FROM reverse_dependencies WHERE crate_id = one;
        INSERT INTO reverse_dependencies
        SELECT DISTINCT d.crate_id, v.crate_id FROM dependencies d JOIN versions v ON v.id = d.version_id
        WHERE d.crate_id = one AND v.crate_id <> one;
    END LOOP;
END $$;
CREATE FUNCTION reverse_dependencies_of_crate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM rebuild_reverse_dependencies(ARRAY[NEW.id]);
    RETURN NEW;
END $$;
CREATE TRIGGER reverse_dependencies AFTER UPDATE ON crates FOR EACH ROW EXECUTE FUNCTION reverse_dependencies_of_crate();

CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit (relation, action, row_id)
    VALUES (TG_TABLE_NAME, TG_OP, CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END);
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON api_tokens FOR EACH ROW EXECUTE FUNCTION audit_row();

CREATE FUNCTION never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only written to', TG_TABLE_NAME;
END $$;
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION never_deleted();
CREATE TRIGGER by_hand_only BEFORE INSERT ON publish_limits FOR EACH ROW EXECUTE FUNCTION never_deleted();

CREATE FUNCTION verify_default_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM versions WHERE id = NEW.version_id AND crate_id = NEW.crate_id) THEN
        RAISE EXCEPTION 'the default version of crate % is another crate''s', NEW.crate_id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER verify_default_version AFTER INSERT OR UPDATE ON default_versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION verify_default_version();

CREATE FUNCTION total_of(crate integer) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(d.downloads), 0)::bigint
    FROM version_downloads d JOIN versions v ON v.id = d.version_id
    WHERE v.crate_id = crate
$$;
CREATE FUNCTION refresh_recent() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    REFRESH MATERIALIZED VIEW recent_downloads;
END $$;

CREATE MATERIALIZED VIEW recent_downloads AS
    SELECT v.crate_id, sum(d.downloads) AS downloads
    FROM version_downloads d JOIN versions v ON v.id = d.version_id
    GROUP BY v.crate_id;

ALTER TABLE emails ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON emails USING (user_id = current_setting('app.user', true)::integer);
