-- Pictures that were uploaded for broadcasts.
CREATE TABLE broadcast_pictures (
    -- The SHA-256 of the content.
    id        BLOB    PRIMARY KEY CHECK (length(id) = 32),
    kind      TEXT    NOT NULL CHECK (kind IN ('jpeg', 'png', 'webp')),
    width     INTEGER NOT NULL CHECK (width > 0),
    height    INTEGER NOT NULL CHECK (height > 0),
    bytes     INTEGER NOT NULL CHECK (bytes > 0),
    -- When it was last uploaded to us.
    stored_at TEXT    NOT NULL,
    -- Telegram's name for it, once the bot has sent it.
    file_id   TEXT,
    -- The last column, so that the others are read without it.
    content   BLOB    NOT NULL
) STRICT;

-- Which broadcasts have which of these pictures.
CREATE TABLE broadcast_picture_uses (
    picture   BLOB    NOT NULL,
    broadcast INTEGER NOT NULL,
    PRIMARY KEY (picture, broadcast)
) STRICT, WITHOUT ROWID;
