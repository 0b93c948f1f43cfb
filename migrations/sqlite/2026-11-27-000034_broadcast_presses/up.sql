-- Which recipients pressed which buttons of a broadcast, and when they first did.
CREATE TABLE broadcast_presses (
    telegram_id INTEGER NOT NULL,
    broadcast   INTEGER NOT NULL,
    -- 1 for the first button of the first row.
    button      INTEGER NOT NULL,
    at          TEXT    NOT NULL,
    PRIMARY KEY (telegram_id, broadcast, button)
) STRICT, WITHOUT ROWID;
