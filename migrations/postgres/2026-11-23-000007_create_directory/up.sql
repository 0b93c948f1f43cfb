-- On how many UTC days the user was ever active.
ALTER TABLE telegram_users ADD COLUMN active_days INTEGER NOT NULL DEFAULT 1;
UPDATE telegram_users AS stored SET active_days = 1 + past.days
FROM (SELECT telegram_id, count(*)::integer AS days FROM active_days GROUP BY telegram_id) AS past
WHERE past.telegram_id = stored.telegram_id;

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
    telegram_id BIGINT    NOT NULL,
    at          TIMESTAMP NOT NULL,
    field       TEXT COLLATE "C" NOT NULL,
    old_value   TEXT,
    new_value   TEXT,
    PRIMARY KEY (telegram_id, at, field)
);

-- What admins noted about users.
CREATE TABLE notes (
    telegram_id BIGINT    PRIMARY KEY,
    text        TEXT      NOT NULL,
    written_at  TIMESTAMP NOT NULL,
    written_by  TEXT      NOT NULL
);

-- Whose names are not in the search yet, or have changed since.
CREATE TABLE search_pending (
    telegram_id BIGINT PRIMARY KEY
);
INSERT INTO search_pending SELECT telegram_id FROM telegram_users;

-- The numbers of what users' names consist of: three neighbouring characters each.
CREATE TABLE search_grams (
    telegram_id BIGINT    PRIMARY KEY,
    grams       INTEGER[] NOT NULL
);
CREATE INDEX search_grams_grams ON search_grams USING gin (grams);
-- One user of 64: enough to tell a term that many have from one that few have, without reading who
-- they all are.
CREATE INDEX search_grams_sample ON search_grams USING gin (grams) WHERE telegram_id % 64 = 0;
