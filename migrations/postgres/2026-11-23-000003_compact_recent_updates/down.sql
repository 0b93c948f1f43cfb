ALTER TABLE interactions_by_day RESET (fillfactor);
ALTER TABLE telegram_users RESET (fillfactor);

CREATE TABLE recent_update_ids (
    update_id   BIGINT    PRIMARY KEY,
    recorded_at TIMESTAMP NOT NULL
);

INSERT INTO recent_update_ids
SELECT 64 * block + bit, recorded_at
FROM recent_updates, generate_series(0, 63) AS bit WHERE (updates >> bit) & 1 = 1;

DROP TABLE recent_updates;
ALTER TABLE recent_update_ids RENAME TO recent_updates;
ALTER TABLE recent_updates RENAME CONSTRAINT recent_update_ids_pkey TO recent_updates_pkey;
CREATE INDEX recent_updates_recorded_at ON recent_updates (recorded_at);
