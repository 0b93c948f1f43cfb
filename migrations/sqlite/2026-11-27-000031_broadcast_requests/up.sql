-- The owners whose next message to the bot becomes a broadcast.
CREATE TABLE broadcast_requests (
    telegram_id   INTEGER PRIMARY KEY,
    filter        TEXT    NOT NULL,
    -- The time zone of the filter's days.
    zone          TEXT    NOT NULL,
    at            TEXT    NOT NULL,
    -- The last album that was refused: each of its pictures is a message.
    refused_album TEXT
) STRICT;

-- The messages to owners that show how far a broadcast is.
CREATE TABLE broadcast_progress (
    telegram_id INTEGER NOT NULL,
    broadcast   INTEGER NOT NULL,
    message_id  INTEGER NOT NULL,
    -- When it is looked at again.
    next_at     TEXT    NOT NULL,
    -- A hash of what it shows; NULL if that is not known.
    shown       INTEGER,
    PRIMARY KEY (telegram_id, broadcast)
) STRICT, WITHOUT ROWID;
