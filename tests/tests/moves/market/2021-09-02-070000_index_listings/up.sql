CREATE INDEX CONCURRENTLY listings_by_category ON listings (category_id, price DESC) WHERE state = 'offered';
