CREATE EXTENSION postgres_fdw;
CREATE SERVER archive FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'archive.internal', dbname 'forum_2020');
CREATE FOREIGN TABLE old_post (id int NOT NULL, name text, body text) SERVER archive OPTIONS (table_name 'post');
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE banned_words (word text) SERVER files OPTIONS (filename '/dev/null');
CREATE FUNCTION is_banned(t text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM banned_words w WHERE w.word = t) $$;
