-- Interactions of the last hour by minute, which is counted from 1970 (UTC). A minute overwrites the one
-- an hour before it, in the same place: the number of the minute within its hour. The sum of a minute is
-- that of all its slots.
CREATE TABLE minute_sums (
    place        SMALLINT NOT NULL,
    slot         SMALLINT NOT NULL,
    minute       INTEGER NOT NULL,
    interactions BIGINT NOT NULL,
    PRIMARY KEY (place, slot)
) WITH (fillfactor = 50);
