-- The hour of the user's first interaction on active_day, counted from 1970 (UTC). It is NULL, or an
-- hour of another day, if a program from before this change wrote the row: then it is unknown.
ALTER TABLE telegram_users ADD COLUMN first_hour INTEGER;
-- The same for an earlier day.
ALTER TABLE active_days ADD COLUMN first_hour INTEGER;

-- Sums of an hour have its number (0 to 23) as their label. Those of known users are counted now.
INSERT INTO activity_sums
SELECT 'new_hour', created_at::date, date_part('hour', created_at)::text, 0, count(*)
FROM telegram_users GROUP BY 2, 3;
INSERT INTO activity_sums
SELECT CASE change WHEN 'unblocked' THEN 'unblocked_hour' ELSE 'blocked_hour' END,
    at::date, date_part('hour', at)::text, 0, count(*)
FROM reach_history GROUP BY 1, 2, 3;
