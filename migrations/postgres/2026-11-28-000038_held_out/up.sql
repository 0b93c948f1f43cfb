-- How many percent of the recipients are held out: they do not get the message.
ALTER TABLE broadcasts ADD COLUMN hold_out INTEGER CHECK (hold_out BETWEEN 1 AND 50);

-- How many recipients of a broadcast were active within seven days after it. A row is added when the days
-- are over and the count begins.
CREATE TABLE broadcast_activity (
    broadcast       BIGINT PRIMARY KEY,
    -- The last recipient that was looked at.
    counted_to      BIGINT NOT NULL,
    sent            BIGINT NOT NULL,
    sent_active     BIGINT NOT NULL,
    held_out        BIGINT NOT NULL,
    held_out_active BIGINT NOT NULL,
    -- When all were counted; NULL until then.
    counted_at      TIMESTAMP
);
