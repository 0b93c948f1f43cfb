-- Tags and groups. A number is given once, so a row elsewhere with the number of a deleted label names
-- no other one.
CREATE TABLE labels (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('tag', 'group')),
    name        TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    created_at  TEXT NOT NULL,
    UNIQUE (kind, name)
) STRICT;

-- The last numbers that were given. Creating a label locks the row.
CREATE TABLE label_numbers (
    only_row    INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    last_label  INTEGER NOT NULL DEFAULT 0,
    last_change INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO label_numbers DEFAULT VALUES;

CREATE TABLE user_labels (
    telegram_id INTEGER NOT NULL,
    label       INTEGER NOT NULL,
    PRIMARY KEY (telegram_id, label)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_labels_label ON user_labels (label, telegram_id);

-- Changes of many users at once: which label is added or removed, and how far the change is. They go
-- an hour after their last step.
CREATE TABLE label_changes (
    id         INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,
    -- The latest step.
    touched_at TEXT NOT NULL,
    -- NULL for a management command.
    admin      TEXT,
    label      INTEGER NOT NULL,
    is_added   INTEGER NOT NULL CHECK (is_added IN (0, 1)),
    -- NULL where the ids were given.
    filter     TEXT,
    -- The time zone of the filter's days.
    zone       TEXT NOT NULL DEFAULT 'UTC',
    users      INTEGER NOT NULL DEFAULT 0,
    -- The last id that was looked at.
    last_id    INTEGER NOT NULL DEFAULT 0,
    state      TEXT NOT NULL CHECK (state IN ('running', 'done', 'undoing'))
) STRICT;

-- The users that a change really changed, for undoing it.
CREATE TABLE label_changed_users (
    telegram_id INTEGER NOT NULL,
    change      INTEGER NOT NULL,
    PRIMARY KEY (telegram_id, change)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_changed_users_change ON label_changed_users (change, telegram_id);

-- The tag that users get who open the link; NULL, or the number of a deleted label, for none.
ALTER TABLE sources ADD COLUMN tag INTEGER;
