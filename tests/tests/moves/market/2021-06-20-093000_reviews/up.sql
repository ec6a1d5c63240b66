CREATE TABLE reviews (
    id SERIAL PRIMARY KEY,
    shop_id INTEGER NOT NULL REFERENCES shops (id) ON DELETE CASCADE,
    member_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    stars INTEGER NOT NULL,
    said TEXT,
    seen_by TEXT,
    updated_at TIMESTAMP NOT NULL DEFAULT now(),
    UNIQUE (shop_id, member_id)
);
ALTER TABLE reviews ADD CONSTRAINT stars_of_five CHECK (stars BETWEEN 1 AND 5) NOT VALID;
SELECT diesel_manage_updated_at('reviews');
CREATE FUNCTION rating_of(shop integer) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT round(avg(least(greatest(stars, 0), 5)), 2) FROM reviews WHERE shop_id = shop
$$;
CREATE FUNCTION rate_shop() RETURNS trigger AS $$
DECLARE
    shop INTEGER;
BEGIN
    IF TG_OP = 'DELETE' THEN
        shop := OLD.shop_id;
    ELSE
        shop := NEW.shop_id;
    END IF;
    UPDATE shops SET rating = rating_of(shop) WHERE id = shop;
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER rate_shop AFTER INSERT OR UPDATE OF stars OR DELETE ON reviews FOR EACH ROW EXECUTE FUNCTION rate_shop();
