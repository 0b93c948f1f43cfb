-- What the bot behind API_PROXY_ADDR has chosen about its updates: at most one row.
CREATE TABLE bot_behind (
    only_row        INTEGER PRIMARY KEY NOT NULL CHECK (only_row = 1),
    webhook_url     TEXT    NOT NULL,
    secret_token    TEXT    NOT NULL,
    max_connections INTEGER NOT NULL,
    allowed_updates TEXT    NOT NULL
) STRICT;
