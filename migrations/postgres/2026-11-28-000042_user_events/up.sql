-- What happened to users and is still to be delivered to EVENTS_URL. A row until it is delivered.
CREATE TABLE user_events (
    telegram_id   BIGINT NOT NULL,
    at            TIMESTAMP NOT NULL,
    -- user.created, user.blocked or user.unblocked.
    event         TEXT NOT NULL,
    recorded_at   TIMESTAMP NOT NULL,
    -- Until then, a process delivers it.
    claimed_until TIMESTAMP,
    PRIMARY KEY (telegram_id, at, event)
);
CREATE INDEX user_events_recorded_at ON user_events (recorded_at);
