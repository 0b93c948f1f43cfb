ALTER TABLE bot_identity DROP COLUMN has_run;
DROP TABLE api_keys;
