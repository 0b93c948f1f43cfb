DROP TABLE broadcast_arm_sums;
ALTER TABLE broadcast_recipients DROP COLUMN arm;
ALTER TABLE broadcasts DROP COLUMN decision;
ALTER TABLE broadcasts DROP COLUMN pick;
ALTER TABLE broadcasts DROP COLUMN tested_at;
ALTER TABLE broadcasts DROP COLUMN experiment;
