-- Which recipients pressed which buttons of a broadcast, and when they first did.
CREATE TABLE broadcast_presses (
    telegram_id BIGINT    NOT NULL,
    broadcast   BIGINT    NOT NULL,
    -- 1 for the first button of the first row.
    button      INTEGER   NOT NULL,
    at          TIMESTAMP NOT NULL,
    PRIMARY KEY (telegram_id, broadcast, button)
);
