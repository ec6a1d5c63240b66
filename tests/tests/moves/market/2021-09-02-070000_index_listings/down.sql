DROP INDEX CONCURRENTLY listings_by_category;
