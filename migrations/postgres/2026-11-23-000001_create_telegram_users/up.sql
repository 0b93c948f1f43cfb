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
    previous_seen TIMESTAMP,
    -- Whether the user ever did something in a private chat with the bot.
    has_private_chat BOOLEAN NOT NULL,
    -- Why the bot cannot write to the user now; NULL where nothing is in the way.
    obstacle      TEXT,
    blocked_at    TIMESTAMP,
    unblocked_at  TIMESTAMP,
    -- The payload of the deep link by which the user came.
    source        TEXT
);

-- When the bot could no longer write to a user (change: the obstacle), or could again (unblocked).
CREATE TABLE reach_history (
    telegram_id BIGINT    NOT NULL,
    at          TIMESTAMP NOT NULL,
    change      TEXT      NOT NULL,
    PRIMARY KEY (telegram_id, at, change)
);

-- By which deep links users came, and when.
CREATE TABLE starts (
    telegram_id BIGINT    NOT NULL,
    at          TIMESTAMP NOT NULL,
    payload     TEXT      NOT NULL,
    PRIMARY KEY (telegram_id, at, payload)
);

CREATE INDEX telegram_users_reachable ON telegram_users (telegram_id)
    WHERE has_private_chat AND obstacle IS NULL;

CREATE INDEX telegram_users_created_at ON telegram_users (created_at DESC, telegram_id);
CREATE INDEX telegram_users_active_day ON telegram_users (active_day);
-- Not unique: within a transaction two rows may hold one username until the older one is cleared.
-- The "C" collation folds ASCII letters only, as SQLite and Username::key do.
CREATE INDEX telegram_users_username ON telegram_users (lower(username COLLATE "C"));
