-- The day by the NHL's own calendar; NULL where a version that did not know it wrote the row.
ALTER TABLE games ADD COLUMN day DATE;
-- Whether the NHL has taken the game out of its schedule.
ALTER TABLE games ADD COLUMN is_withdrawn BOOLEAN NOT NULL DEFAULT false;
-- The id that the team's club goes by, where it is another one.
ALTER TABLE teams ADD COLUMN club BIGINT;

-- The day in New York, but for an hour in summer; what is fetched next corrects it. A game without a
-- decided time had midnight there as its start.
UPDATE games SET day = (starts_at - CASE WHEN is_time_open THEN interval '4 hours' ELSE interval '5 hours' END)::date;
UPDATE games SET starts_at = day + time '17:00' WHERE is_time_open;

CREATE INDEX games_day ON games (day);
