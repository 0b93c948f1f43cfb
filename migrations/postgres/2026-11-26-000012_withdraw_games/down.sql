DROP INDEX games_day;
ALTER TABLE teams DROP COLUMN club;
ALTER TABLE games DROP COLUMN is_withdrawn, DROP COLUMN day;
