UPDATE source_sums SET source = payload FROM sources WHERE source = '#' || label;
UPDATE erased_sums SET label = payload FROM sources
WHERE figure LIKE 'source%' AND erased_sums.label = '#' || sources.label;

-- What counts under labels that were dropped.
INSERT INTO source_sums AS stored
SELECT day, '(other)', slot, sum(starts), sum(new_users), sum(reachable), sum(day_1), sum(day_7),
    sum(day_30)
FROM source_sums WHERE source LIKE '#%' GROUP BY day, slot
ON CONFLICT (day, source, slot) DO UPDATE SET
    starts = stored.starts + excluded.starts,
    new_users = stored.new_users + excluded.new_users,
    reachable = stored.reachable + excluded.reachable,
    day_1 = stored.day_1 + excluded.day_1,
    day_7 = stored.day_7 + excluded.day_7,
    day_30 = stored.day_30 + excluded.day_30;
DELETE FROM source_sums WHERE source LIKE '#%';
INSERT INTO erased_sums AS stored
SELECT figure, day, '(other)', sum(value) FROM erased_sums
WHERE figure LIKE 'source%' AND label LIKE '#%' GROUP BY figure, day
ON CONFLICT (figure, day, label) DO UPDATE SET value = stored.value + excluded.value;
DELETE FROM erased_sums WHERE figure LIKE 'source%' AND label LIKE '#%';

ALTER TABLE starts DROP COLUMN label;
ALTER TABLE telegram_users DROP COLUMN source_label;
DROP INDEX sources_label;
ALTER TABLE sources DROP COLUMN is_listed, DROP COLUMN since, DROP COLUMN label;
ALTER TABLE activity_state DROP COLUMN labels;

-- A payload with a label counts under it from its first start again: counted at the next start.
UPDATE activity_state SET recounts = 0;
