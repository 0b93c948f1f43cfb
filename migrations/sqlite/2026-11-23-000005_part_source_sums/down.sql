INSERT INTO activity_sums SELECT 'source_starts', day, source, slot, starts FROM source_sums WHERE starts <> 0;
INSERT INTO activity_sums SELECT 'source_new', day, source, slot, new_users FROM source_sums WHERE new_users <> 0;
INSERT INTO activity_sums SELECT 'source_reachable', day, source, slot, reachable FROM source_sums WHERE reachable <> 0;
INSERT INTO activity_sums SELECT 'source_day_1', day, source, slot, day_1 FROM source_sums WHERE day_1 <> 0;
INSERT INTO activity_sums SELECT 'source_day_7', day, source, slot, day_7 FROM source_sums WHERE day_7 <> 0;
INSERT INTO activity_sums SELECT 'source_day_30', day, source, slot, day_30 FROM source_sums WHERE day_30 <> 0;
DROP TABLE source_sums;
