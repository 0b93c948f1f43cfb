ALTER TABLE admin_sessions DROP COLUMN challenged_at;
ALTER TABLE admin_sessions DROP COLUMN challenge;
-- A session that owes a factor which is gone could not give it.
DELETE FROM admin_sessions
WHERE owes_factor <> 0 AND NOT EXISTS (SELECT 1 FROM second_factors WHERE second_factors.admin = admin_sessions.admin);
-- Recovery codes stand in for a factor that there is.
DELETE FROM recovery_codes
WHERE NOT EXISTS (SELECT 1 FROM second_factors WHERE second_factors.admin = recovery_codes.admin);
DROP TABLE passkeys;
