DROP TABLE audit_head;
ALTER TABLE audit_log DROP COLUMN hash, DROP COLUMN values_hash, DROP COLUMN salt;
