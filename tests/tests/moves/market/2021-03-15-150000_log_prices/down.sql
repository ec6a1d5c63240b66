DROP FUNCTION price_at(integer, timestamptz);
DROP TABLE prices;
DROP FUNCTION never_changed();
DROP TRIGGER log_price ON listings;
DROP FUNCTION log_price();
