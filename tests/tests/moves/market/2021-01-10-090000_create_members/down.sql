DROP TABLE members;
DROP TYPE member_state;
DROP EXTENSION citext;
