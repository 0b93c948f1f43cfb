-- Each entry has a hash over its own fields and the hash of the entry before it. NULL in entries from
-- before this change. With the salt, the values cannot be guessed from their hash; it goes where
-- they go.
ALTER TABLE audit_log ADD COLUMN salt BLOB;
ALTER TABLE audit_log ADD COLUMN values_hash BLOB;
ALTER TABLE audit_log ADD COLUMN hash BLOB;

CREATE TABLE audit_head (
    only_row     INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    -- The hash of the newest entry; all zeros before the first one.
    hash         BLOB NOT NULL,
    -- The hash of the newest entry that retention removed; all zeros where none was.
    removed_hash BLOB NOT NULL
) STRICT;

INSERT INTO audit_head VALUES (1, zeroblob(32), zeroblob(32));
