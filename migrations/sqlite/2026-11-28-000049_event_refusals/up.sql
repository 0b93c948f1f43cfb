-- When and why EVENTS_URL last did not accept the event; NULL until then.
ALTER TABLE user_events ADD COLUMN refused_at TEXT;
ALTER TABLE user_events ADD COLUMN refusal TEXT;
