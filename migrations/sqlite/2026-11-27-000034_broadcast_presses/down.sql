DROP TABLE broadcast_presses;
