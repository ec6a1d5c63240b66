DROP TABLE reviews;
DROP FUNCTION rate_shop();
DROP FUNCTION rating_of(integer);
