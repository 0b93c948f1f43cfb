-- On which UTC days a user used a command (such as /schedule) or the buttons of a family (such as
-- settings). Bit n of recent_days is set if the user used it n days before last_day.
-- No index contains a column that changes, and a page has room for new versions of its rows, so that
-- updates are heap-only.
CREATE TABLE command_uses (
    telegram_id BIGINT  NOT NULL,
    recent_days BIGINT  NOT NULL,
    first_day   DATE    NOT NULL,
    last_day    DATE    NOT NULL,
    days        INTEGER NOT NULL,
    command     TEXT    NOT NULL,
    PRIMARY KEY (telegram_id, command)
) WITH (fillfactor = 80);
