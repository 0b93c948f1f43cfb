-- The keys with which programs use the API.
CREATE TABLE api_keys (
    -- SHA-256. The key itself is not stored.
    key_hash     BLOB PRIMARY KEY NOT NULL,
    name         TEXT NOT NULL,
    -- ingest, read and write, separated by commas.
    scopes       TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    -- To the minute.
    last_used_at TEXT,
    revoked_at   TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;

-- Whether the bot has run on this database. If not, the bot runs elsewhere and sends its updates here.
ALTER TABLE bot_identity ADD COLUMN has_run INTEGER NOT NULL DEFAULT 1 CHECK (has_run IN (0, 1));
