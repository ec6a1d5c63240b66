DROP INDEX CONCURRENTLY listings_attributes;
