-- The updates recorded lately, so that one that Telegram delivers again is known.
CREATE TABLE recent_updates (
    update_id   BIGINT    PRIMARY KEY,
    recorded_at TIMESTAMP NOT NULL
);

CREATE INDEX recent_updates_recorded_at ON recent_updates (recorded_at);

-- How many interactions of each kind there were on each UTC day.
CREATE TABLE interactions_by_day (
    day          DATE   NOT NULL,
    kind         TEXT   NOT NULL,
    interactions BIGINT NOT NULL,
    PRIMARY KEY (day, kind)
);

-- Updates that could not be read in full, as they came.
CREATE TABLE quarantine (
    update_id   BIGINT    PRIMARY KEY,
    received_at TIMESTAMP NOT NULL,
    reason      TEXT      NOT NULL,
    -- Whether somebody was recognised in it all the same, and registered.
    registered  BOOLEAN   NOT NULL,
    payload     TEXT      NOT NULL
);

CREATE INDEX quarantine_received_at ON quarantine (received_at);
