-- What it tries out, as JSON: the contents beside the first one, and how the best is found. NULL for
-- nothing but a held-out part.
ALTER TABLE broadcasts ADD COLUMN experiment TEXT;
-- When all of the part that tests the variants had an outcome.
ALTER TABLE broadcasts ADD COLUMN tested_at TEXT;
-- The winner that an owner has chosen, and the owner, as JSON.
ALTER TABLE broadcasts ADD COLUMN pick TEXT;
-- The winner, when it was decided, and its figures, as JSON. It is never changed.
ALTER TABLE broadcasts ADD COLUMN decision TEXT;

-- Which arm of an experiment the recipient belonged to when the message went out: a variant, or winner.
ALTER TABLE broadcast_recipients ADD COLUMN arm TEXT;

-- How many recipients of an arm have each state since their message went out.
CREATE TABLE broadcast_arm_sums (
    broadcast INTEGER NOT NULL,
    arm       TEXT    NOT NULL,
    state     TEXT    NOT NULL,
    users     INTEGER NOT NULL,
    PRIMARY KEY (broadcast, arm, state)
) STRICT, WITHOUT ROWID;
