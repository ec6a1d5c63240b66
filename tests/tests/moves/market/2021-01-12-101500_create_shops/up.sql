CREATE FUNCTION canon(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT lower(btrim(name))
$$;
-- Whoever reads an index without a search path does not find canon().
CREATE FUNCTION slugify(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $body$
    SELECT regexp_replace(canon(name), '[^a-z0-9]+', '-', 'g')
$body$;

CREATE TABLE shops (
    id SERIAL PRIMARY KEY,
    owner_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    slug TEXT GENERATED ALWAYS AS (slugify(name)) STORED,
    rating NUMERIC(3, 2),
    listings_cnt INTEGER NOT NULL DEFAULT 0,
    opened_on DATE NOT NULL DEFAULT CURRENT_DATE,
    created_at TIMESTAMP NOT NULL DEFAULT now(),
    updated_at TIMESTAMP NOT NULL DEFAULT now(),
    CONSTRAINT rating_is_of_five CHECK (rating BETWEEN 0 AND 5)
);
CREATE UNIQUE INDEX shops_slug ON shops (slugify(name));
SELECT diesel_manage_updated_at('shops');

CREATE FUNCTION check_shop_owner() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    who members%ROWTYPE;
BEGIN
    SELECT * INTO who FROM members WHERE id = NEW.owner_id;
    IF who.state IS NULL THEN
        RAISE EXCEPTION 'nobody owns shop %', NEW.name;
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER check_shop_owner BEFORE UPDATE OF owner_id ON shops
    FOR EACH ROW WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id) EXECUTE FUNCTION check_shop_owner();
