DROP TABLE listings;
DROP FUNCTION touch_shop();
DROP FUNCTION count_listings();
DROP FUNCTION search_of_listing();
DROP DOMAIN price;
DROP TYPE listing_state;
