DROP TABLE refreshes;
DROP TABLE games;
DROP TABLE teams;
