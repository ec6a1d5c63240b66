CREATE DOMAIN url_text AS text CHECK (VALUE ~ '^https?://');
CREATE TABLE private_message (
    id serial PRIMARY KEY,
    creator_id int REFERENCES person ON UPDATE CASCADE ON DELETE CASCADE NOT NULL,
    recipient_id int REFERENCES person ON UPDATE CASCADE ON DELETE CASCADE NOT NULL,
    content text NOT NULL,
    deleted boolean DEFAULT FALSE NOT NULL,
    read boolean DEFAULT FALSE NOT NULL,
    published timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ap_id url_text NOT NULL UNIQUE,
    CHECK (creator_id <> recipient_id)
);
SELECT diesel_manage_updated_at('private_message');
ALTER TABLE person ADD CONSTRAINT person_name_length CHECK (length(name::text) < 256) NOT VALID;
ALTER TABLE post ADD CONSTRAINT post_url_http CHECK (url ~ '^https?://') NOT VALID;
CREATE TABLE person_block (
    person_id int REFERENCES person ON UPDATE CASCADE ON DELETE CASCADE NOT NULL,
    target_id int NOT NULL,
    published timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person_id, target_id)
);
ALTER TABLE person_block ADD CONSTRAINT person_block_target_id_fkey FOREIGN KEY (target_id) REFERENCES person ON DELETE CASCADE NOT VALID;
