DROP TABLE shops;
DROP FUNCTION check_shop_owner();
DROP FUNCTION slugify(text);
DROP FUNCTION canon(text);
