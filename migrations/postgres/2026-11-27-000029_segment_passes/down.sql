DROP TABLE segment_members;
DROP TABLE segment_parts;
DROP TABLE segment_sizes;
DROP TABLE segment_passes;
ALTER TABLE segments DROP COLUMN changed_at;
ALTER TABLE segments DROP COLUMN zone;
