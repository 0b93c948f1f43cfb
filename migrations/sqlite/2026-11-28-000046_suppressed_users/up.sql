-- Erased users, who are not stored again until they agree. HMAC-SHA256 of their ids.
CREATE TABLE suppressed_users (
    id_hash BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The key of these hashes: no row before the first user is erased.
CREATE TABLE suppression_key (
    only_row  INTEGER PRIMARY KEY NOT NULL CHECK (only_row = 1),
    -- Recognises the key.
    key_check BLOB NOT NULL,
    -- The key itself; NULL if it is in a file.
    secret    BLOB
) STRICT;
