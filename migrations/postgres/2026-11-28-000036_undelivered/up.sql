-- Whether the bot to which updates are forwarded did not accept it.
ALTER TABLE quarantine ADD COLUMN undelivered BOOLEAN NOT NULL DEFAULT FALSE;
