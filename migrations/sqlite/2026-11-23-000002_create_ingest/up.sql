-- The updates recorded lately, so that one that Telegram delivers again is known.
CREATE TABLE recent_updates (
    update_id   INTEGER PRIMARY KEY NOT NULL,
    recorded_at TEXT    NOT NULL
) STRICT;

CREATE INDEX recent_updates_recorded_at ON recent_updates (recorded_at);

-- How many interactions of each kind there were on each UTC day.
CREATE TABLE interactions_by_day (
    day          TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    interactions INTEGER NOT NULL,
    PRIMARY KEY (day, kind)
) STRICT, WITHOUT ROWID;

-- Updates that could not be read in full, as they came.
CREATE TABLE quarantine (
    update_id   INTEGER PRIMARY KEY NOT NULL,
    received_at TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    -- Whether somebody was recognised in it all the same, and registered.
    registered  INTEGER NOT NULL CHECK (registered IN (0, 1)),
    payload     TEXT    NOT NULL
) STRICT;

CREATE INDEX quarantine_received_at ON quarantine (received_at);
