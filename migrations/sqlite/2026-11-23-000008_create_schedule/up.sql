-- The teams of the games, as the NHL numbers them.
CREATE TABLE teams (
    id           INTEGER PRIMARY KEY NOT NULL,
    abbreviation TEXT    NOT NULL,
    name         TEXT    NOT NULL
) STRICT;

-- The games of the NHL.
CREATE TABLE games (
    id           INTEGER PRIMARY KEY NOT NULL,
    season       INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    starts_at    TEXT    NOT NULL,
    -- Whether the time of day is yet to be decided.
    is_time_open INTEGER NOT NULL CHECK (is_time_open IN (0, 1)),
    away_team    INTEGER NOT NULL,
    home_team    INTEGER NOT NULL,
    venue        TEXT    NOT NULL,
    venue_zone   TEXT,
    state        TEXT    NOT NULL,
    away_score   INTEGER,
    home_score   INTEGER,
    -- How often the row was written: 1 for one that has just come.
    revision     INTEGER NOT NULL
) STRICT;

CREATE INDEX games_starts_at ON games (starts_at, id);
CREATE INDEX games_home_team ON games (home_team, starts_at);

-- When something was last fetched from the NHL, and until when somebody has the right to do so.
CREATE TABLE refreshes (
    name         TEXT PRIMARY KEY NOT NULL,
    refreshed_at TEXT,
    held_until   TEXT
) STRICT, WITHOUT ROWID;

INSERT INTO refreshes (name) VALUES ('schedule'), ('scores');
