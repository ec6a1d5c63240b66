DROP TABLE messages;
DROP FUNCTION seen_once();
DROP FUNCTION tell_receiver();
DROP FUNCTION unseen_of(integer);
