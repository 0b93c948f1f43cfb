-- The updates recorded lately, so that one that Telegram delivers again is known: a row for each 64
-- neighbours, since update_ids come nearly in order. Bit n of `updates` stands for 64 * block + n.
CREATE TABLE recent_update_blocks (
    block            INTEGER PRIMARY KEY NOT NULL,
    updates          INTEGER NOT NULL,
    -- `updates` before the latest registration; NULL until the second one. It lets one statement
    -- both add updates and answer which were known.
    previous_updates INTEGER,
    -- When the latest of them was recorded.
    recorded_at      TEXT    NOT NULL
) STRICT;

-- A sum of different powers of two is their "or".
INSERT INTO recent_update_blocks (block, updates, recorded_at)
SELECT update_id >> 6, sum(1 << (update_id & 63)), max(recorded_at)
FROM recent_updates GROUP BY 1;

DROP TABLE recent_updates;
ALTER TABLE recent_update_blocks RENAME TO recent_updates;
