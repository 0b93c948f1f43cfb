DROP TABLE minute_sums;
