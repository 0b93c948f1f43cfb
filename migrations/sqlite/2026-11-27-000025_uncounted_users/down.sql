DROP TABLE uncounted_sums;
DROP TABLE uncounted_users;
