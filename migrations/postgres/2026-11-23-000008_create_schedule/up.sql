-- The teams of the games, as the NHL numbers them.
CREATE TABLE teams (
    id           BIGINT PRIMARY KEY,
    abbreviation TEXT   NOT NULL,
    name         TEXT   NOT NULL
);

-- The games of the NHL.
CREATE TABLE games (
    id           BIGINT    PRIMARY KEY,
    season       INTEGER   NOT NULL,
    kind         TEXT      NOT NULL,
    starts_at    TIMESTAMP NOT NULL,
    -- Whether the time of day is yet to be decided.
    is_time_open BOOLEAN   NOT NULL,
    away_team    BIGINT    NOT NULL,
    home_team    BIGINT    NOT NULL,
    venue        TEXT      NOT NULL,
    venue_zone   TEXT,
    state        TEXT      NOT NULL,
    away_score   INTEGER,
    home_score   INTEGER,
    -- How often the row was written: 1 for one that has just come.
    revision     INTEGER   NOT NULL
);

CREATE INDEX games_starts_at ON games (starts_at, id);
CREATE INDEX games_home_team ON games (home_team, starts_at);

-- When something was last fetched from the NHL, and until when somebody has the right to do so.
CREATE TABLE refreshes (
    name         TEXT      PRIMARY KEY,
    refreshed_at TIMESTAMP,
    held_until   TIMESTAMP
);

INSERT INTO refreshes (name) VALUES ('schedule'), ('scores');
