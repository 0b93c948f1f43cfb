-- Tags and groups. A number is given once, so a row elsewhere with the number of a deleted label names
-- no other one.
CREATE TABLE labels (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('tag', 'group')),
    name        TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    created_at  TIMESTAMP NOT NULL,
    UNIQUE (kind, name)
);

-- The last numbers that were given. Creating a label locks the row.
CREATE TABLE label_numbers (
    only_row    SMALLINT PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    last_label  INTEGER NOT NULL DEFAULT 0,
    last_change BIGINT NOT NULL DEFAULT 0
);
INSERT INTO label_numbers DEFAULT VALUES;

CREATE TABLE user_labels (
    telegram_id BIGINT NOT NULL,
    label       INTEGER NOT NULL,
    PRIMARY KEY (telegram_id, label)
);
CREATE INDEX user_labels_label ON user_labels (label, telegram_id);

-- Changes of many users at once: which label is added or removed, and how far the change is. They go
-- an hour after their last step.
CREATE TABLE label_changes (
    id         BIGINT PRIMARY KEY,
    started_at TIMESTAMP NOT NULL,
    -- The latest step.
    touched_at TIMESTAMP NOT NULL,
    -- NULL for a management command.
    admin      TEXT,
    label      INTEGER NOT NULL,
    is_added   BOOLEAN NOT NULL,
    -- NULL where the ids were given.
    filter     TEXT,
    -- The time zone of the filter's days.
    zone       TEXT NOT NULL DEFAULT 'UTC',
    users      BIGINT NOT NULL DEFAULT 0,
    -- The last id that was looked at.
    last_id    BIGINT NOT NULL DEFAULT 0,
    state      TEXT NOT NULL CHECK (state IN ('running', 'done', 'undoing'))
);

-- The users that a change really changed, for undoing it.
CREATE TABLE label_changed_users (
    telegram_id BIGINT NOT NULL,
    change      BIGINT NOT NULL,
    PRIMARY KEY (telegram_id, change)
);
CREATE INDEX label_changed_users_change ON label_changed_users (change, telegram_id);

-- The tag that users get who open the link; NULL, or the number of a deleted label, for none.
ALTER TABLE sources ADD COLUMN tag INTEGER;
