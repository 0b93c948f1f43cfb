-- When a recipient may get the message, if that is later than when it was looked at. It stays until the
-- message has an outcome.
ALTER TABLE broadcast_recipients ADD COLUMN due_at TIMESTAMP;
CREATE INDEX broadcast_recipients_due ON broadcast_recipients (broadcast, due_at, telegram_id)
WHERE due_at IS NOT NULL;

-- The time that the clocks of a recipient must show before the message is sent.
ALTER TABLE broadcasts ADD COLUMN local_time TIMESTAMP;
-- The hours of a recipient's day in which the message is not sent, such as 22:00-08:00.
ALTER TABLE broadcasts ADD COLUMN quiet_hours TEXT;
