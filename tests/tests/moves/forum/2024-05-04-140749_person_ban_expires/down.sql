ALTER TABLE post RENAME COLUMN embed_text TO embed_descripton;
ALTER TABLE community DROP COLUMN posting_restricted_to_mods;
ALTER TABLE person DROP COLUMN ban_expires;
