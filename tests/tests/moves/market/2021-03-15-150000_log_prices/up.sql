CREATE TABLE prices (
    listing_id INTEGER NOT NULL REFERENCES listings (id) ON DELETE CASCADE,
    since TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    price price NOT NULL,
    PRIMARY KEY (listing_id, since)
);
CREATE FUNCTION log_price() RETURNS trigger AS $$
BEGIN
    INSERT INTO prices (listing_id, price) VALUES (NEW.id, OLD.price);
    RETURN NEW;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER log_price AFTER UPDATE OF price ON listings
    FOR EACH ROW WHEN (OLD.price <> NEW.price) EXECUTE FUNCTION log_price();

CREATE FUNCTION never_changed() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION '% is only added to', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER never_changed BEFORE UPDATE ON prices FOR EACH STATEMENT EXECUTE FUNCTION never_changed();
CREATE FUNCTION price_at(listing integer, at timestamptz) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT p.price FROM prices p WHERE p.listing_id = listing AND p.since > at ORDER BY p.since LIMIT 1),
        (SELECT l.price FROM listings l WHERE l.id = listing)
    )
$$;
