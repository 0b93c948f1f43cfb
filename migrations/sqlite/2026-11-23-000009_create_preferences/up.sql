-- What users have chosen; NULL is what everybody has.
CREATE TABLE preferences (
    telegram_id INTEGER PRIMARY KEY NOT NULL,
    language    TEXT,
    time_zone   TEXT
) STRICT;

CREATE TABLE favourite_teams (
    telegram_id INTEGER NOT NULL,
    team        INTEGER NOT NULL,
    PRIMARY KEY (telegram_id, team)
) STRICT, WITHOUT ROWID;
