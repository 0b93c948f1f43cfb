-- The day by the NHL's own calendar; NULL where a version that did not know it wrote the row.
ALTER TABLE games ADD COLUMN day TEXT;
-- Whether the NHL has taken the game out of its schedule.
ALTER TABLE games ADD COLUMN is_withdrawn INTEGER NOT NULL DEFAULT 0
    CHECK (is_withdrawn IN (0, 1));
-- The id that the team's club goes by, where it is another one.
ALTER TABLE teams ADD COLUMN club INTEGER;

-- The day in New York, but for an hour in summer; what is fetched next corrects it. A game without a
-- decided time had midnight there as its start.
UPDATE games SET day = date(starts_at, CASE is_time_open WHEN 1 THEN '-4 hours' ELSE '-5 hours' END);
UPDATE games SET starts_at = day || ' 17:00:00.000000' WHERE is_time_open = 1;

CREATE INDEX games_day ON games (day);
