-- The sums of deep links, all figures of a link and a day in one row. There are up to a thousand
-- links each day: among the other sums they would spread these over many pages.
CREATE TABLE source_sums (
    day       DATE     NOT NULL,
    source    TEXT     NOT NULL,
    slot      SMALLINT NOT NULL,
    starts    BIGINT   NOT NULL,
    new_users BIGINT   NOT NULL,
    reachable BIGINT   NOT NULL,
    day_1     BIGINT   NOT NULL,
    day_7     BIGINT   NOT NULL,
    day_30    BIGINT   NOT NULL,
    PRIMARY KEY (day, source, slot)
) WITH (fillfactor = 50);

INSERT INTO source_sums
SELECT day, label, slot,
    sum(CASE figure WHEN 'source_starts' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_new' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_reachable' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_day_1' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_day_7' THEN value ELSE 0 END),
    sum(CASE figure WHEN 'source_day_30' THEN value ELSE 0 END)
FROM activity_sums WHERE figure LIKE 'source%' GROUP BY day, label, slot;

-- Written anew, without the gaps.
CREATE TABLE other_sums (LIKE activity_sums INCLUDING ALL) WITH (fillfactor = 50);
INSERT INTO other_sums SELECT * FROM activity_sums WHERE figure NOT LIKE 'source%'
ORDER BY figure, day, label, slot;
DROP TABLE activity_sums;
ALTER TABLE other_sums RENAME TO activity_sums;
ALTER TABLE activity_sums RENAME CONSTRAINT other_sums_pkey TO activity_sums_pkey;
