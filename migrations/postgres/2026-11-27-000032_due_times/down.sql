ALTER TABLE broadcasts DROP COLUMN quiet_hours;
ALTER TABLE broadcasts DROP COLUMN local_time;
DROP INDEX broadcast_recipients_due;
ALTER TABLE broadcast_recipients DROP COLUMN due_at;
