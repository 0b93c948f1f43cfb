DROP TABLE command_uses;
