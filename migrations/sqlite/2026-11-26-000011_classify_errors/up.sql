-- SQLite's result codes are known by their texts, so there is nothing to add; see PostgreSQL's.
SELECT 1;
