DROP SCHEMA r CASCADE;
DROP TRIGGER refresh_activity ON post;
DROP TRIGGER protect_language ON language;
