-- The bot that this database belongs to: at most one row.
CREATE TABLE bot_identity (
    only_row    INTEGER PRIMARY KEY NOT NULL CHECK (only_row = 1),
    telegram_id INTEGER NOT NULL,
    claimed_at  TEXT    NOT NULL
) STRICT;
