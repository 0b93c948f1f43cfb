-- What the bot behind API_PROXY_ADDR has chosen about its updates: at most one row.
CREATE TABLE bot_behind (
    only_row        SMALLINT PRIMARY KEY CHECK (only_row = 1),
    webhook_url     TEXT     NOT NULL,
    secret_token    TEXT     NOT NULL,
    max_connections SMALLINT NOT NULL,
    allowed_updates TEXT     NOT NULL
);
