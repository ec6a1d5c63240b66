CREATE MATERIALIZED VIEW popularity AS
    SELECT l.id AS listing_id, l.shop_id, count(o.line) AS sold, coalesce(sum(o.amount), 0) AS earned
    FROM listings l LEFT JOIN order_lines o ON o.listing_id = l.id
    GROUP BY l.id, l.shop_id;
CREATE UNIQUE INDEX popularity_listing_id ON popularity (listing_id);
CREATE VIEW open_shops AS
    SELECT s.id, s.name, s.rating, m.display_name AS owner FROM shops s JOIN members m ON m.id = s.owner_id
    WHERE m.state = 'active';

CREATE FUNCTION refresh_popularity() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    REFRESH MATERIALIZED VIEW popularity;
END $$;
CREATE FUNCTION popular(most integer DEFAULT 10) RETURNS TABLE (title text, sold bigint) LANGUAGE sql STABLE AS $$
    SELECT l.title, p.sold FROM popularity p JOIN listings l ON l.id = p.listing_id ORDER BY p.sold DESC LIMIT most
$$;
CREATE FUNCTION find_listings(words text) RETURNS SETOF listings LANGUAGE sql STABLE AS $$
    SELECT * FROM listings WHERE search @@ plainto_tsquery('pg_catalog.simple', words) AND state = 'offered'
$$;
CREATE FUNCTION name_of(m members) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT m.display_name || ' <' || m.email || '>'
$$;
CREATE FUNCTION withdraw_listings(before date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    one RECORD;
    withdrawn INTEGER := 0;
BEGIN
    FOR one IN SELECT id, title, updated_at FROM listings WHERE state IN ('offered', 'reserved') LOOP
        IF one.updated_at < before THEN
            UPDATE listings SET state = 'draft', title = one.title WHERE id = one.id;
            withdrawn := withdrawn + 1;
        END IF;
    END LOOP;
    RETURN withdrawn;
END $$;
CREATE FUNCTION merge_members(stays integer, goes integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shops SET owner_id = stays WHERE owner_id = goes;
    UPDATE orders SET buyer_id = stays WHERE buyer_id = goes;
    DELETE FROM reviews r WHERE r.member_id = goes
        AND EXISTS (SELECT FROM reviews o WHERE o.shop_id = r.shop_id AND o.member_id = stays);
    UPDATE reviews SET member_id = stays WHERE member_id = goes;
    DELETE FROM members WHERE id = goes;
END $$;
