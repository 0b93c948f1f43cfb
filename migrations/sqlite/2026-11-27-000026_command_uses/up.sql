-- On which UTC days a user used a command (such as /schedule) or the buttons of a family (such as
-- settings). Bit n of recent_days is set if the user used it n days before last_day.
CREATE TABLE command_uses (
    telegram_id INTEGER NOT NULL,
    command     TEXT    NOT NULL,
    first_day   TEXT    NOT NULL,
    last_day    TEXT    NOT NULL,
    days        INTEGER NOT NULL,
    recent_days INTEGER NOT NULL,
    PRIMARY KEY (telegram_id, command)
) STRICT, WITHOUT ROWID;
