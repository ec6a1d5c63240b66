CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TABLE categories (
    id SERIAL PRIMARY KEY,
    path LTREE NOT NULL UNIQUE,
    title TEXT NOT NULL,
    listings_cnt INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX categories_path_gist ON categories USING GIST (path);

CREATE FUNCTION move_below() RETURNS trigger AS $move$
BEGIN
    UPDATE categories
    SET path = NEW.path || subpath(path, nlevel(OLD.path))
    WHERE path <@ OLD.path AND path <> OLD.path AND id <> NEW.id;
    RETURN NULL;
END
$move$ LANGUAGE plpgsql;
CREATE TRIGGER move_below AFTER UPDATE OF path ON categories
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE PROCEDURE move_below();
CREATE FUNCTION ancestors(of ltree) RETURNS SETOF categories LANGUAGE sql STABLE AS $$
    SELECT * FROM categories WHERE path @> of ORDER BY path
$$;
INSERT INTO categories (path, title) VALUES ('all', 'All'), ('all.strings', 'Strings');
