DROP TABLE search_grams;
DROP TABLE search_pending;
DROP TABLE notes;
DROP TABLE profile_changes;

DROP INDEX telegram_users_bots;
DROP INDEX telegram_users_blocked;
DROP INDEX telegram_users_source;
DROP INDEX telegram_users_language;
DROP INDEX telegram_users_active_days;
DROP INDEX telegram_users_active_day;
CREATE INDEX telegram_users_active_day ON telegram_users (active_day);
DROP INDEX telegram_users_created_at;
CREATE INDEX telegram_users_created_at ON telegram_users (created_at DESC, telegram_id);
ALTER TABLE telegram_users DROP COLUMN active_days;
