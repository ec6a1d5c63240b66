REVOKE ALL ON members, shops, listings FROM market_reader;
REVOKE SELECT (id, total) ON orders FROM market_reader;
DROP TRIGGER note ON members;
DROP TRIGGER note ON shops;
DROP TRIGGER note ON orders;
DROP TRIGGER note ON reviews;
DROP SCHEMA audit CASCADE;
