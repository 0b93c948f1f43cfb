-- A session that still owes its second factor would be a whole one afterwards.
DELETE FROM admin_sessions WHERE owes_factor <> 0;
ALTER TABLE admin_sessions DROP COLUMN offered_secret;
ALTER TABLE admin_sessions DROP COLUMN address;
ALTER TABLE admin_sessions DROP COLUMN device;
ALTER TABLE admin_sessions DROP COLUMN confirmed_at;
ALTER TABLE admin_sessions DROP COLUMN owes_factor;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
