DROP TABLE favourite_teams;
DROP TABLE preferences;
