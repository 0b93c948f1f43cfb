CREATE TABLE recent_update_ids (
    update_id   INTEGER PRIMARY KEY NOT NULL,
    recorded_at TEXT    NOT NULL
) STRICT;

WITH RECURSIVE bits (bit) AS (SELECT 0 UNION ALL SELECT bit + 1 FROM bits WHERE bit < 63)
INSERT INTO recent_update_ids
SELECT 64 * block + bit, recorded_at FROM recent_updates, bits WHERE (updates >> bit) & 1;

DROP TABLE recent_updates;
ALTER TABLE recent_update_ids RENAME TO recent_updates;
CREATE INDEX recent_updates_recorded_at ON recent_updates (recorded_at);
