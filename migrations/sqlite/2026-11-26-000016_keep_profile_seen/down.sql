ALTER TABLE telegram_users DROP COLUMN profile_seen;
