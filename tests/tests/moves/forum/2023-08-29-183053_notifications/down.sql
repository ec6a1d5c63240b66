DROP TRIGGER notify_message ON private_message;
DROP TRIGGER notify_recipient ON comment;
DROP FUNCTION notify_message();
DROP FUNCTION notify_recipient();
DROP TABLE notification;
