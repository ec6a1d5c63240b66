DROP FUNCTION is_banned(text);
DROP FOREIGN TABLE banned_words;
DROP SERVER files;
DROP EXTENSION file_fdw;
DROP FOREIGN TABLE old_post;
DROP SERVER archive;
DROP EXTENSION postgres_fdw;
