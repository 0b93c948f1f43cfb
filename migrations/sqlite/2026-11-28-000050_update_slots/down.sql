CREATE TABLE recent_update_blocks (
    block            INTEGER PRIMARY KEY NOT NULL,
    updates          INTEGER NOT NULL,
    previous_updates INTEGER,
    recorded_at      TEXT    NOT NULL
) STRICT;

-- A slot does not show the parity of its users. What is known is known of both. A sum of different
-- powers of two is their "or".
WITH RECURSIVE bits (bit) AS (SELECT 0 UNION ALL SELECT bit + 1 FROM bits WHERE bit < 63),
known AS (
    SELECT block, bit, max(recorded_at) AS recorded_at
    FROM recent_updates, bits WHERE (updates >> bit) & 1
    GROUP BY block, bit)
INSERT INTO recent_update_blocks (block, updates, recorded_at)
SELECT 2 * block + parity, sum(1 << bit), max(recorded_at)
FROM known, (SELECT 0 AS parity UNION ALL SELECT 1) AS parities
GROUP BY 2 * block + parity;

DROP TABLE recent_updates;
ALTER TABLE recent_update_blocks RENAME TO recent_updates;
