ALTER TABLE person ADD COLUMN ban_expires timestamptz;
UPDATE person SET ban_expires = now() + interval '30 days' WHERE banned;
ALTER TABLE community ADD COLUMN posting_restricted_to_mods boolean NOT NULL DEFAULT false;
ALTER TABLE post RENAME COLUMN embed_description TO embed_text;
