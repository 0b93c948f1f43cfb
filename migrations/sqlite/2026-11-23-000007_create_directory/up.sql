-- On how many UTC days the user was ever active.
ALTER TABLE telegram_users ADD COLUMN active_days INTEGER NOT NULL DEFAULT 1;
UPDATE telegram_users SET active_days = 1 + past.days
FROM (SELECT telegram_id, count(*) AS days FROM active_days GROUP BY telegram_id) AS past
WHERE past.telegram_id = telegram_users.telegram_id;

-- The orders in which users are listed: of equal ones, by telegram_id, and backwards as well.
DROP INDEX telegram_users_created_at;
CREATE INDEX telegram_users_created_at ON telegram_users (created_at, telegram_id);
DROP INDEX telegram_users_active_day;
CREATE INDEX telegram_users_active_day ON telegram_users (active_day, telegram_id);
CREATE INDEX telegram_users_active_days ON telegram_users (active_days, telegram_id);
-- Those of one kind, newest first.
CREATE INDEX telegram_users_language ON telegram_users (language_code, created_at, telegram_id);
CREATE INDEX telegram_users_source ON telegram_users (source, created_at, telegram_id)
    WHERE source IS NOT NULL;
CREATE INDEX telegram_users_blocked ON telegram_users (created_at, telegram_id)
    WHERE obstacle = 'blocked';
CREATE INDEX telegram_users_bots ON telegram_users (created_at, telegram_id) WHERE is_bot;

-- What of a user's profile Telegram told otherwise than before: field is a column's name.
CREATE TABLE profile_changes (
    telegram_id INTEGER NOT NULL,
    at          TEXT    NOT NULL,
    field       TEXT    NOT NULL,
    old_value   TEXT,
    new_value   TEXT,
    PRIMARY KEY (telegram_id, at, field)
) STRICT, WITHOUT ROWID;

-- What admins noted about users.
CREATE TABLE notes (
    telegram_id INTEGER PRIMARY KEY NOT NULL,
    text        TEXT    NOT NULL,
    written_at  TEXT    NOT NULL,
    written_by  TEXT    NOT NULL
) STRICT;

-- Whose names are not in the search yet, or have changed since.
CREATE TABLE search_pending (
    telegram_id INTEGER PRIMARY KEY NOT NULL
) STRICT;
INSERT INTO search_pending SELECT telegram_id FROM telegram_users;

-- The numbers of what users' names consist of: three neighbouring characters each. The rowid is the
-- telegram_id.
CREATE VIRTUAL TABLE search_grams USING fts5 (
    grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);
