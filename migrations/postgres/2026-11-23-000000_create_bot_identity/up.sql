-- The bot that this database belongs to: at most one row.
CREATE TABLE bot_identity (
    only_row    SMALLINT  PRIMARY KEY CHECK (only_row = 1),
    telegram_id BIGINT    NOT NULL,
    claimed_at  TIMESTAMP NOT NULL
);
