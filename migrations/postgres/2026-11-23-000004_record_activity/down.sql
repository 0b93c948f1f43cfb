-- How many interactions of each kind there were on each UTC day.
CREATE TABLE interactions_by_day (
    day          DATE   NOT NULL,
    kind         TEXT   NOT NULL,
    interactions BIGINT NOT NULL,
    PRIMARY KEY (day, kind)
) WITH (fillfactor = 50);
INSERT INTO interactions_by_day
SELECT day, label, sum(value) FROM activity_sums WHERE figure = 'kind' GROUP BY 1, 2;

DROP TABLE activity_state;
DROP TABLE sources;
DROP TABLE erased_sums;
DROP TABLE activity_sums;
DROP TABLE active_days;
ALTER TABLE telegram_users DROP COLUMN days_of_month;
ALTER TABLE telegram_users DROP COLUMN day_interactions;

-- Blocks hold the updates of all users again.
CREATE TEMPORARY TABLE shared_out_updates AS SELECT * FROM recent_updates;
DELETE FROM recent_updates;
INSERT INTO recent_updates (block, updates, recorded_at)
SELECT block >> 1,
    max(CASE block & 1 WHEN 0 THEN updates ELSE 0 END)
        | max(CASE block & 1 WHEN 1 THEN updates ELSE 0 END)
        | min(CASE block & 1 WHEN 0 THEN updates ELSE 0 END)
        | min(CASE block & 1 WHEN 1 THEN updates ELSE 0 END),
    max(recorded_at)
FROM shared_out_updates GROUP BY block >> 1;
DROP TABLE shared_out_updates;
