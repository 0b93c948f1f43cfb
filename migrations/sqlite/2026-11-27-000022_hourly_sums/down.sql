DELETE FROM activity_sums WHERE figure IN
    ('active_hour', 'blocked_hour', 'interaction_hour', 'new_hour', 'unblocked_hour');
DELETE FROM erased_sums WHERE figure IN
    ('active_hour', 'blocked_hour', 'interaction_hour', 'new_hour', 'unblocked_hour');
ALTER TABLE active_days DROP COLUMN first_hour;
ALTER TABLE telegram_users DROP COLUMN first_hour;
