DROP TABLE broadcast_responses;
