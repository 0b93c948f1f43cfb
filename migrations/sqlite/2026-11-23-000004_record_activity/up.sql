-- How many interactions there were on active_day, and on how many days of its month the user was
-- active: what a new day of activity has to know of the past is in the user's own row.
ALTER TABLE telegram_users ADD COLUMN day_interactions INTEGER NOT NULL DEFAULT 1;
ALTER TABLE telegram_users ADD COLUMN days_of_month INTEGER NOT NULL DEFAULT 1;

-- On which UTC days users were active, and how many interactions there were. The user's latest day
-- is not among them: it is active_day in the user's row, and comes here when another day follows.
CREATE TABLE active_days (
    telegram_id  INTEGER NOT NULL,
    day          TEXT    NOT NULL,
    interactions INTEGER NOT NULL,
    PRIMARY KEY (telegram_id, day)
) STRICT, WITHOUT ROWID;

-- Sums over all users by figure, day (of a week its Monday, of a month its first day) and label.
-- The sum is that of all its slots: writers add to different ones, so as not to wait for each other.
CREATE TABLE activity_sums (
    figure TEXT    NOT NULL,
    day    TEXT    NOT NULL,
    label  TEXT    NOT NULL,
    slot   INTEGER NOT NULL,
    value  INTEGER NOT NULL,
    PRIMARY KEY (figure, day, label, slot)
) STRICT, WITHOUT ROWID;

-- What those who were erased count in the sums.
CREATE TABLE erased_sums (
    figure TEXT    NOT NULL,
    day    TEXT    NOT NULL,
    label  TEXT    NOT NULL,
    value  INTEGER NOT NULL,
    PRIMARY KEY (figure, day, label)
) STRICT, WITHOUT ROWID;

-- The deep links that have sums of their own; only so many have.
CREATE TABLE sources (
    payload TEXT PRIMARY KEY NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: how often the sums were counted from the facts, 0 where they are not yet.
CREATE TABLE activity_state (
    only_row INTEGER PRIMARY KEY NOT NULL CHECK (only_row = 1),
    recounts INTEGER NOT NULL,
    -- Whether whoever is in the database is made up.
    is_demo  INTEGER NOT NULL CHECK (is_demo IN (0, 1))
) STRICT;
INSERT INTO activity_state VALUES (1, 0, 0);

-- Of those who are there already, two days are known.
INSERT INTO active_days
SELECT telegram_id, substr(created_at, 1, 10), 1 FROM telegram_users
WHERE substr(created_at, 1, 10) < active_day;
UPDATE telegram_users SET days_of_month = 2
WHERE substr(created_at, 1, 10) < active_day
    AND substr(created_at, 1, 7) = substr(active_day, 1, 7);
INSERT INTO sources
SELECT source FROM telegram_users WHERE source IS NOT NULL
GROUP BY source ORDER BY count(*) DESC, source LIMIT 1000;

INSERT INTO activity_sums SELECT 'kind', day, kind, 0, interactions FROM interactions_by_day;
DROP TABLE interactions_by_day;

-- Updates of users with odd ids get blocks of their own: bit n of `updates` now stands for the update
-- 64 * (block >> 1) + n. What is known already is known of both.
CREATE TEMPORARY TABLE shared_updates AS SELECT * FROM recent_updates;
DELETE FROM recent_updates;
INSERT INTO recent_updates (block, updates, recorded_at)
SELECT 2 * block + parity, updates, recorded_at
FROM shared_updates, (SELECT 0 AS parity UNION ALL SELECT 1) AS parities;
DROP TABLE shared_updates;
