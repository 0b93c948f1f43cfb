-- One row for each Telegram account that talked to the bot. Times are UTC text of the fixed form
-- "YYYY-MM-DD HH:MM:SS.ffffff", so that the order of the text is the order of time.
CREATE TABLE telegram_users (
    telegram_id   INTEGER PRIMARY KEY NOT NULL CHECK (telegram_id BETWEEN 1 AND 4503599627370495),
    first_name    TEXT    NOT NULL,
    last_name     TEXT,
    username      TEXT,
    language_code TEXT,
    is_bot        INTEGER NOT NULL CHECK (is_bot IN (0, 1)),
    created_at    TEXT    NOT NULL,
    updated_at    TEXT    NOT NULL,
    last_seen     TEXT    NOT NULL,
    -- The UTC day of last_seen. It changes once a day, so it can be indexed; last_seen must not be.
    active_day    TEXT    NOT NULL,
    -- last_seen before the latest registration; NULL until the second one. It lets one statement
    -- both move last_seen and answer what it was.
    previous_seen TEXT,
    -- Whether the user ever did something in a private chat with the bot.
    has_private_chat INTEGER NOT NULL CHECK (has_private_chat IN (0, 1)),
    -- Why the bot cannot write to the user now; NULL where nothing is in the way.
    obstacle      TEXT,
    blocked_at    TEXT,
    unblocked_at  TEXT,
    -- The payload of the deep link by which the user came.
    source        TEXT
) STRICT;

-- When the bot could no longer write to a user (change: the obstacle), or could again (unblocked).
CREATE TABLE reach_history (
    telegram_id INTEGER NOT NULL,
    at          TEXT    NOT NULL,
    change      TEXT    NOT NULL,
    PRIMARY KEY (telegram_id, at, change)
) STRICT, WITHOUT ROWID;

-- By which deep links users came, and when.
CREATE TABLE starts (
    telegram_id INTEGER NOT NULL,
    at          TEXT    NOT NULL,
    payload     TEXT    NOT NULL,
    PRIMARY KEY (telegram_id, at, payload)
) STRICT, WITHOUT ROWID;

CREATE INDEX telegram_users_reachable ON telegram_users (telegram_id)
    WHERE has_private_chat AND obstacle IS NULL;

CREATE INDEX telegram_users_created_at ON telegram_users (created_at DESC, telegram_id);
CREATE INDEX telegram_users_active_day ON telegram_users (active_day);
-- Not unique: within a transaction two rows may hold one username until the older one is cleared.
CREATE INDEX telegram_users_username ON telegram_users (lower(username));
