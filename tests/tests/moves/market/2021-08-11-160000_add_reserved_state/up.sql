ALTER TYPE listing_state ADD VALUE 'reserved' BEFORE 'sold';
ALTER TYPE member_state ADD VALUE IF NOT EXISTS 'banned';
