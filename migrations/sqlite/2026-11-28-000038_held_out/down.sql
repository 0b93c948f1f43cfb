DROP TABLE broadcast_activity;
ALTER TABLE broadcasts DROP COLUMN hold_out;
