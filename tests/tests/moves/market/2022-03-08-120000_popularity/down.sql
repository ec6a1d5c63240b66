DROP FUNCTION merge_members(integer, integer);
DROP FUNCTION withdraw_listings(date);
DROP FUNCTION name_of(members);
DROP FUNCTION find_listings(text);
DROP FUNCTION popular(integer);
DROP FUNCTION refresh_popularity();
DROP VIEW open_shops;
DROP MATERIALIZED VIEW popularity;
