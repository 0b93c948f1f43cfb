-- What happened to users and is still to be delivered to EVENTS_URL. A row until it is delivered.
CREATE TABLE user_events (
    telegram_id   INTEGER NOT NULL,
    at            TEXT NOT NULL,
    -- user.created, user.blocked or user.unblocked.
    event         TEXT NOT NULL,
    recorded_at   TEXT NOT NULL,
    -- Until then, a process delivers it.
    claimed_until TEXT,
    PRIMARY KEY (telegram_id, at, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_events_recorded_at ON user_events (recorded_at);
