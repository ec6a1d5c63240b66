CREATE TABLE tags (
    id SERIAL PRIMARY KEY,
    tag CITEXT NOT NULL UNIQUE,
    uses INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE listing_tags (
    listing_id INTEGER NOT NULL REFERENCES listings (id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    PRIMARY KEY (listing_id, tag_id)
);
CREATE FUNCTION count_added() RETURNS trigger AS $$
BEGIN
    UPDATE tags SET uses = uses + n FROM (SELECT tag_id, count(*) AS n FROM added GROUP BY 1) a WHERE a.tag_id = tags.id;
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
CREATE FUNCTION count_removed() RETURNS trigger AS $$
BEGIN
    UPDATE tags SET uses = uses - n FROM (SELECT tag_id, count(*) AS n FROM removed GROUP BY 1) a WHERE a.tag_id = tags.id;
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER count_added AFTER INSERT ON listing_tags
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added();
CREATE TRIGGER count_removed AFTER DELETE ON listing_tags
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_removed();
