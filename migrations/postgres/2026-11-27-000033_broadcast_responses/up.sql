-- How many recipients of a broadcast did something after their message.
CREATE TABLE broadcast_responses (
    broadcast BIGINT NOT NULL,
    response  TEXT   NOT NULL,
    users     BIGINT NOT NULL,
    PRIMARY KEY (broadcast, response)
);
