DROP TABLE starts;
DROP TABLE reach_history;
DROP TABLE telegram_users;
