-- A row for each 64 neighbouring update_ids and writer, so that writers do not wait for each other:
-- a block's updates are those of all its slots. Bit n of `updates` stands for 64 * block + n.
-- SQLite has one writer, so that new rows have slot 0.
CREATE TABLE recent_update_slots (
    block       INTEGER NOT NULL,
    slot        INTEGER NOT NULL,
    updates     INTEGER NOT NULL,
    -- When the latest of them was recorded.
    recorded_at TEXT    NOT NULL,
    PRIMARY KEY (block, slot)
) STRICT, WITHOUT ROWID;

-- Until now, users with even and with odd ids had blocks of their own.
INSERT INTO recent_update_slots (block, slot, updates, recorded_at)
SELECT block >> 1, block & 1, updates, recorded_at FROM recent_updates;

DROP TABLE recent_updates;
ALTER TABLE recent_update_slots RENAME TO recent_updates;
