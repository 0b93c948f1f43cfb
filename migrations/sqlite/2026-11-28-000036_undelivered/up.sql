-- Whether the bot to which updates are forwarded did not accept it.
ALTER TABLE quarantine ADD COLUMN undelivered INTEGER NOT NULL DEFAULT 0
    CHECK (undelivered IN (0, 1));
