DROP TABLE broadcast_progress;
DROP TABLE broadcast_requests;
