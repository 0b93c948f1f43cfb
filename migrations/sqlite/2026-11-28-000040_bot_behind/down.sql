DROP TABLE bot_behind;
