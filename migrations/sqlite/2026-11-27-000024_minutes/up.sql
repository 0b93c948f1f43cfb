-- Interactions of the last hour by minute, which is counted from 1970 (UTC). A minute overwrites the one
-- an hour before it, in the same place: the number of the minute within its hour. The sum of a minute is
-- that of all its slots.
CREATE TABLE minute_sums (
    place        INTEGER NOT NULL,
    slot         INTEGER NOT NULL,
    minute       INTEGER NOT NULL,
    interactions INTEGER NOT NULL,
    PRIMARY KEY (place, slot)
) STRICT, WITHOUT ROWID;
