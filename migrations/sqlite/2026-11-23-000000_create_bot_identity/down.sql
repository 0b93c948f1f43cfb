DROP TABLE bot_identity;
