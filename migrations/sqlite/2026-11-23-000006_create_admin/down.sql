DROP INDEX quarantine_telegram_id;
ALTER TABLE quarantine DROP COLUMN telegram_id;
DROP TABLE audit_log;
DROP TABLE sign_in_failures;
DROP TABLE admin_links;
DROP TABLE admin_sessions;
DROP TABLE admin_accounts;
