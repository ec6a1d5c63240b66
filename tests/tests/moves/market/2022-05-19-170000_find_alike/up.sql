DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
        CREATE EXTENSION pg_trgm;
        CREATE INDEX tags_alike ON tags USING GIN ((tag::text) gin_trgm_ops);
    END IF;
END $$;
CREATE FUNCTION count_reviews(shop shops) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM reviews WHERE shop_id = shop.id
$$;
ALTER TABLE prices DROP CONSTRAINT prices_listing_id_fkey;
ALTER TABLE prices ADD CONSTRAINT of_a_listing FOREIGN KEY (listing_id) REFERENCES listings (id) ON DELETE CASCADE NOT VALID;
