-- Erased users, who are not stored again until they agree. HMAC-SHA256 of their ids.
CREATE TABLE suppressed_users (
    id_hash BYTEA PRIMARY KEY
);

-- The key of these hashes: no row before the first user is erased.
CREATE TABLE suppression_key (
    only_row  SMALLINT PRIMARY KEY CHECK (only_row = 1),
    -- Recognises the key.
    key_check BYTEA NOT NULL,
    -- The key itself; NULL if it is in a file.
    secret    BYTEA
);
