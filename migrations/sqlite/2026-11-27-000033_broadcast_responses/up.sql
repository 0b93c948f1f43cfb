-- How many recipients of a broadcast did something after their message.
CREATE TABLE broadcast_responses (
    broadcast INTEGER NOT NULL,
    response  TEXT    NOT NULL,
    users     INTEGER NOT NULL,
    PRIMARY KEY (broadcast, response)
) STRICT, WITHOUT ROWID;
