-- SQLite tells its result codes by their texts, so there is nothing to add; see PostgreSQL's.
SELECT 1;
