CREATE INDEX CONCURRENTLY listings_attributes ON listings USING GIN (attributes jsonb_path_ops);
