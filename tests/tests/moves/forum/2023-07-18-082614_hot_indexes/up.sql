CREATE INDEX CONCURRENTLY idx_post_hot ON post (score DESC, published DESC);
