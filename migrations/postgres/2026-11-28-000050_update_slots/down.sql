CREATE TABLE recent_update_blocks (
    block            BIGINT    PRIMARY KEY,
    updates          BIGINT    NOT NULL,
    previous_updates BIGINT,
    recorded_at      TIMESTAMP NOT NULL
) WITH (fillfactor = 50);

-- A slot does not show the parity of its users. What is known is known of both.
INSERT INTO recent_update_blocks (block, updates, recorded_at)
SELECT 2 * block + parity, bit_or(updates), max(recorded_at)
FROM recent_updates, (VALUES (0), (1)) AS parities (parity)
GROUP BY 2 * block + parity;

DROP TABLE recent_updates;
ALTER TABLE recent_update_blocks RENAME TO recent_updates;
ALTER TABLE recent_updates RENAME CONSTRAINT recent_update_blocks_pkey TO recent_updates_pkey;
