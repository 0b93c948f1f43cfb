-- Pictures that were uploaded for broadcasts.
CREATE TABLE broadcast_pictures (
    -- The SHA-256 of the content.
    id        BYTEA     PRIMARY KEY CHECK (length(id) = 32),
    kind      TEXT      NOT NULL CHECK (kind IN ('jpeg', 'png', 'webp')),
    width     INTEGER   NOT NULL CHECK (width > 0),
    height    INTEGER   NOT NULL CHECK (height > 0),
    bytes     INTEGER   NOT NULL CHECK (bytes > 0),
    -- When it was last uploaded to us.
    stored_at TIMESTAMP NOT NULL,
    -- Telegram's name for it, once the bot has sent it.
    file_id   TEXT,
    content   BYTEA     NOT NULL
);
-- Pictures are compressed already.
ALTER TABLE broadcast_pictures ALTER COLUMN content SET STORAGE EXTERNAL;

-- Which broadcasts have which of these pictures.
CREATE TABLE broadcast_picture_uses (
    picture   BYTEA  NOT NULL,
    broadcast BIGINT NOT NULL,
    PRIMARY KEY (picture, broadcast)
);
