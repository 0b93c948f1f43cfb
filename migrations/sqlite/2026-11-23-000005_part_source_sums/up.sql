-- The sums of deep links, all figures of a link and a day in one row. There are up to a thousand
-- links each day: among the other sums they would spread these over many pages.
CREATE TABLE source_sums (
    day       TEXT    NOT NULL,
    source    TEXT    NOT NULL,
    slot      INTEGER NOT NULL,
    starts    INTEGER NOT NULL,
    new_users INTEGER NOT NULL,
    reachable INTEGER NOT NULL,
    day_1     INTEGER NOT NULL,
    day_7     INTEGER NOT NULL,
    day_30    INTEGER NOT NULL,
    PRIMARY KEY (day, source, slot)
) STRICT, WITHOUT ROWID;

INSERT INTO source_sums
SELECT day, label, slot,
    sum(CASE figure WHEN 'source_starts' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_new' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_reachable' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_day_1' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_day_7' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_day_30' THEN value ELSE 0 END)
FROM activity_sums WHERE figure LIKE 'source%' GROUP BY day, label, slot;

DELETE FROM activity_sums WHERE figure LIKE 'source%';
