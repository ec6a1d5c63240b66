CREATE TABLE messages (
    id BIGSERIAL PRIMARY KEY,
    sender_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    receiver_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    body TEXT NOT NULL,
    seen_at TIMESTAMPTZ,
    sent_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CHECK (sender_id <> receiver_id)
);
CREATE INDEX messages_unseen ON messages (receiver_id) WHERE seen_at IS NULL;
ALTER TABLE messages ADD CONSTRAINT not_too_long CHECK (length(body) < 5000) NOT VALID;
CREATE FUNCTION unseen_of(member integer) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM messages WHERE receiver_id = member AND seen_at IS NULL
$$;
CREATE FUNCTION tell_receiver() RETURNS trigger AS $$
BEGIN
    PERFORM pg_notify('messages', json_build_object('to', NEW.receiver_id, 'unseen', unseen_of(NEW.receiver_id))::text);
    RETURN NEW;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER tell_receiver AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION tell_receiver();
CREATE FUNCTION seen_once() RETURNS trigger AS $$
BEGIN
    NEW.seen_at := OLD.seen_at;
    RETURN NEW;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER seen_once BEFORE UPDATE OF seen_at ON messages
    FOR EACH ROW WHEN (OLD.seen_at IS NOT NULL) EXECUTE FUNCTION seen_once();
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON messages TO market_reader
    USING (receiver_id = NULLIF(current_setting('market.member', true), '')::integer);
