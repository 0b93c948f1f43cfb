-- The updates recorded lately, so that one that Telegram delivers again is known: a row for each 64
-- neighbours, since update_ids come nearly in order. Bit n of `updates` stands for 64 * block + n.
CREATE TABLE recent_update_blocks (
    block            BIGINT    PRIMARY KEY,
    updates          BIGINT    NOT NULL,
    -- `updates` before the latest registration; NULL until the second one. It lets one statement
    -- both add updates and answer which were known.
    previous_updates BIGINT,
    -- When the latest of them was recorded.
    recorded_at      TIMESTAMP NOT NULL
) WITH (fillfactor = 50);

INSERT INTO recent_update_blocks (block, updates, recorded_at)
SELECT update_id >> 6, bit_or(1::bigint << (update_id & 63)::int), max(recorded_at)
FROM recent_updates GROUP BY 1;

DROP TABLE recent_updates;
ALTER TABLE recent_update_blocks RENAME TO recent_updates;
ALTER TABLE recent_updates RENAME CONSTRAINT recent_update_blocks_pkey TO recent_updates_pkey;

-- Room in each page for the new versions of its rows, so that no index has to point at them.
ALTER TABLE telegram_users SET (fillfactor = 80);
ALTER TABLE interactions_by_day SET (fillfactor = 50);
