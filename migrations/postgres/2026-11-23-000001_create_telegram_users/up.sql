-- One row for each Telegram account that talked to the bot. Times are UTC.
CREATE TABLE telegram_users (
    telegram_id   BIGINT    PRIMARY KEY CHECK (telegram_id BETWEEN 1 AND 4503599627370495),
    first_name    TEXT      NOT NULL,
    last_name     TEXT,
    username      TEXT,
    language_code TEXT,
    is_bot        BOOLEAN   NOT NULL,
    created_at    TIMESTAMP NOT NULL,
    updated_at    TIMESTAMP NOT NULL,
    last_seen     TIMESTAMP NOT NULL,
    -- The UTC day of last_seen. It changes once a day, so it can be indexed; last_seen must not be.
    active_day    DATE      NOT NULL,
    -- last_seen before the latest registration; NULL until the second one. It lets one statement
    -- both move last_seen and answer what it was.
    previous_seen TIMESTAMP
);

CREATE INDEX telegram_users_created_at ON telegram_users (created_at DESC, telegram_id);
CREATE INDEX telegram_users_active_day ON telegram_users (active_day);
-- Not unique: within a transaction two rows may hold one username until the older one is cleared.
-- The "C" collation folds ASCII letters only, as SQLite and Username::key do.
CREATE INDEX telegram_users_username ON telegram_users (lower(username COLLATE "C"));
