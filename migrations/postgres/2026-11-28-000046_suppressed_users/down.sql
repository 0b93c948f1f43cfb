DROP TABLE suppressed_users;
DROP TABLE suppression_key;
