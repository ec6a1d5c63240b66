DROP TABLE listing_tags, tags;
DROP FUNCTION count_added(), count_removed();
