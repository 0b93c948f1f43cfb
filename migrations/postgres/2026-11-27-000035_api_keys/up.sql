-- The keys with which programs use the API.
CREATE TABLE api_keys (
    -- SHA-256. The key itself is not stored.
    key_hash     BYTEA PRIMARY KEY,
    name         TEXT NOT NULL,
    -- ingest, read and write, separated by commas.
    scopes       TEXT NOT NULL,
    created_at   TIMESTAMP NOT NULL,
    -- To the minute.
    last_used_at TIMESTAMP,
    revoked_at   TIMESTAMP
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;

-- Whether the bot has run on this database. If not, the bot runs elsewhere and sends its updates here.
ALTER TABLE bot_identity ADD COLUMN has_run BOOLEAN NOT NULL DEFAULT TRUE;
