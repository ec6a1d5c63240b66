BEGIN;
CREATE TABLE notification (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    recipient_id int NOT NULL REFERENCES person ON DELETE CASCADE,
    comment_id int REFERENCES comment ON DELETE CASCADE,
    message_id int REFERENCES private_message ON DELETE CASCADE,
    kind text NOT NULL DEFAULT 'mention',
    read boolean NOT NULL DEFAULT false,
    payload jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_target CHECK (num_nonnulls(comment_id, message_id) = 1)
);
CREATE INDEX ON notification (recipient_id) WHERE NOT read;
CREATE FUNCTION notify_recipient() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    parent comment%ROWTYPE;
BEGIN
    SELECT * INTO parent FROM comment WHERE path = subpath(NEW.path, 0, -1) LIMIT 1;
    IF FOUND AND parent.creator_id <> NEW.creator_id THEN
        INSERT INTO notification (recipient_id, comment_id, kind) VALUES (parent.creator_id, NEW.id, 'reply');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notify_recipient AFTER INSERT ON comment FOR EACH ROW EXECUTE FUNCTION notify_recipient();
CREATE FUNCTION notify_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notification (recipient_id, message_id, kind) VALUES (NEW.recipient_id, NEW.id, 'message');
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER notify_message AFTER INSERT ON private_message DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION notify_message();
COMMIT;
