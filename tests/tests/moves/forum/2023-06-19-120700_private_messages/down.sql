DROP TABLE person_block;
ALTER TABLE post DROP CONSTRAINT post_url_http;
ALTER TABLE person DROP CONSTRAINT person_name_length;
DROP TABLE private_message;
DROP DOMAIN url_text;
