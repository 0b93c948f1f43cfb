-- A row for each 64 neighbouring update_ids and writer, so that writers do not wait for each other:
-- a block's updates are those of all its slots. Bit n of `updates` stands for 64 * block + n.
CREATE TABLE recent_update_slots (
    block       BIGINT    NOT NULL,
    slot        SMALLINT  NOT NULL,
    updates     BIGINT    NOT NULL,
    -- When the latest of them was recorded.
    recorded_at TIMESTAMP NOT NULL,
    PRIMARY KEY (block, slot)
) WITH (fillfactor = 50);

-- Until now, users with even and with odd ids had blocks of their own.
INSERT INTO recent_update_slots (block, slot, updates, recorded_at)
SELECT block >> 1, block & 1, updates, recorded_at FROM recent_updates;

DROP TABLE recent_updates;
ALTER TABLE recent_update_slots RENAME TO recent_updates;
ALTER TABLE recent_updates RENAME CONSTRAINT recent_update_slots_pkey TO recent_updates_pkey;
