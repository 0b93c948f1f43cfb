-- Labels have numbers, and what counts under a label keeps its number: as the user's source, as a
-- start, and in the sums. A number is given once; without its row here, what has it counts as (other).
ALTER TABLE sources
    -- NULL where a program from before this change wrote the row.
    ADD COLUMN label INTEGER,
    -- Since when it has the label; NULL where that is from before this change.
    ADD COLUMN since TIMESTAMP,
    -- Whether it is on the owner's list.
    ADD COLUMN is_listed BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE sources
SET label = (SELECT count(*) FROM sources AS earlier WHERE earlier.payload <= sources.payload);
CREATE UNIQUE INDEX sources_label ON sources (label);

-- How many labels were ever given.
ALTER TABLE activity_state ADD COLUMN labels INTEGER NOT NULL DEFAULT 0;
UPDATE activity_state SET labels = (SELECT count(*) FROM sources);

-- The label's number; NULL where it counts as (other).
ALTER TABLE telegram_users ADD COLUMN source_label INTEGER;
UPDATE telegram_users SET source_label = label FROM sources WHERE payload = source;
ALTER TABLE starts ADD COLUMN label INTEGER;
UPDATE starts SET label = sources.label FROM sources WHERE sources.payload = starts.payload;

-- No payload begins with #.
UPDATE source_sums SET source = '#' || label FROM sources WHERE payload = source;
UPDATE erased_sums SET label = '#' || sources.label FROM sources
WHERE figure LIKE 'source%' AND payload = erased_sums.label;
