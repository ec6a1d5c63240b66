CREATE TYPE listing_state AS ENUM ('draft', 'offered', 'sold');
CREATE DOMAIN price AS NUMERIC(10, 2) CHECK (VALUE >= 0);

CREATE TABLE listings (
    id SERIAL PRIMARY KEY,
    shop_id INTEGER NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    category_id INTEGER NOT NULL REFERENCES categories (id),
    title TEXT NOT NULL,
    body TEXT NOT NULL DEFAULT '',
    price price NOT NULL,
    state listing_state NOT NULL DEFAULT 'draft',
    search TSVECTOR NOT NULL DEFAULT '',
    attributes JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT now(),
    updated_at TIMESTAMP NOT NULL DEFAULT now()
);
CREATE INDEX listings_shop_id ON listings (shop_id, state);
CREATE INDEX listings_search ON listings USING GIN (search);
SELECT diesel_manage_updated_at('listings');

CREATE FUNCTION search_of_listing() RETURNS trigger AS $$
BEGIN
    NEW.search := setweight(to_tsvector('pg_catalog.simple', NEW.title), 'A')
        || setweight(to_tsvector('pg_catalog.simple', coalesce(NEW.body, '')), 'B');
    RETURN NEW;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER search_of_listing BEFORE INSERT OR UPDATE OF title, body ON listings
    FOR EACH ROW EXECUTE FUNCTION search_of_listing();

CREATE FUNCTION count_listings() RETURNS trigger AS $$
DECLARE
    of_shop INTEGER;
    of_category INTEGER;
    change INTEGER := 1;
BEGIN
    IF TG_OP = 'DELETE' THEN
        of_shop := OLD.shop_id;
        of_category := OLD.category_id;
        change := -1;
    ELSE
        of_shop := NEW.shop_id;
        of_category := NEW.category_id;
    END IF;
    UPDATE shops SET listings_cnt = listings_cnt + change WHERE id = of_shop;
    UPDATE categories c SET listings_cnt = c.listings_cnt + change
    FROM categories own WHERE own.id = of_category AND c.path @> own.path;
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER count_listings AFTER INSERT OR DELETE ON listings FOR EACH ROW EXECUTE FUNCTION count_listings();

CREATE FUNCTION touch_shop() RETURNS trigger AS $$
BEGIN
    UPDATE shops SET updated_at = now() WHERE id = NEW.shop_id;
    RETURN NEW;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER touch_shop AFTER INSERT OR UPDATE ON listings FOR EACH ROW EXECUTE FUNCTION touch_shop();
