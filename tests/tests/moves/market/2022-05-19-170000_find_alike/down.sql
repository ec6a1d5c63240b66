ALTER TABLE prices DROP CONSTRAINT of_a_listing;
ALTER TABLE prices ADD CONSTRAINT prices_listing_id_fkey FOREIGN KEY (listing_id) REFERENCES listings (id) ON DELETE CASCADE;
DROP FUNCTION count_reviews(shops);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
        DROP INDEX tags_alike;
        DROP EXTENSION pg_trgm;
    END IF;
END $$;
