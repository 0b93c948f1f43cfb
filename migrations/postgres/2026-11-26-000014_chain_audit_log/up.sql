-- Each entry has a hash over its own fields and the hash of the entry before it. NULL in entries from
-- before this change.
ALTER TABLE audit_log
    -- With the salt, the values cannot be guessed from their hash; it goes where they go.
    ADD COLUMN salt BYTEA,
    ADD COLUMN values_hash BYTEA,
    ADD COLUMN hash BYTEA;

CREATE TABLE audit_head (
    only_row     SMALLINT PRIMARY KEY CHECK (only_row = 1),
    -- The hash of the newest entry; all zeros before the first one.
    hash         BYTEA NOT NULL,
    -- The hash of the newest entry that retention removed; all zeros where none was.
    removed_hash BYTEA NOT NULL
);

INSERT INTO audit_head
VALUES (1, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'));
