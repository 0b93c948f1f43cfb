ALTER TABLE sources DROP COLUMN tag;
DROP TABLE label_changed_users;
DROP TABLE label_changes;
DROP TABLE user_labels;
DROP TABLE labels;
DROP TABLE label_numbers;
