DROP TABLE quarantine;
DROP TABLE interactions_by_day;
DROP TABLE recent_updates;
