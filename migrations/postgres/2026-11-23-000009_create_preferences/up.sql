-- What users have chosen; NULL is what everybody has.
CREATE TABLE preferences (
    telegram_id BIGINT PRIMARY KEY,
    language    TEXT,
    time_zone   TEXT
);

CREATE TABLE favourite_teams (
    telegram_id BIGINT NOT NULL,
    team        BIGINT NOT NULL,
    PRIMARY KEY (telegram_id, team)
);
