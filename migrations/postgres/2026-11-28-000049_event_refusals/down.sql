ALTER TABLE user_events DROP COLUMN refusal;
ALTER TABLE user_events DROP COLUMN refused_at;
