CREATE EXTENSION IF NOT EXISTS citext;
CREATE TYPE member_state AS ENUM ('invited', 'active');

CREATE TABLE members (
    id SERIAL PRIMARY KEY,
    email CITEXT NOT NULL UNIQUE,
    display_name VARCHAR(80) NOT NULL CHECK (length(btrim(display_name)) > 0),
    state member_state NOT NULL DEFAULT 'invited',
    invited_by INTEGER REFERENCES members (id) ON DELETE SET NULL,
    created_at TIMESTAMP NOT NULL DEFAULT now(),
    updated_at TIMESTAMP NOT NULL DEFAULT now()
);
SELECT diesel_manage_updated_at('members');

INSERT INTO members (email, display_name) VALUES ('First@Example.org', 'The first');
