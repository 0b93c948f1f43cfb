DROP TABLE audit_head;
ALTER TABLE audit_log DROP COLUMN hash;
ALTER TABLE audit_log DROP COLUMN values_hash;
ALTER TABLE audit_log DROP COLUMN salt;
