ALTER TABLE quarantine DROP COLUMN undelivered;
