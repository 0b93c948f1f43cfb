DROP TABLE broadcast_picture_uses;
DROP TABLE broadcast_pictures;
