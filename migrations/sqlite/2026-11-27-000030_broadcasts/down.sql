DROP TABLE broadcast_sender;
DROP TABLE broadcast_sums;
DROP TABLE broadcast_recipients;
DROP TABLE broadcasts;
DROP TABLE opt_outs;
DROP TABLE broadcast_categories;
