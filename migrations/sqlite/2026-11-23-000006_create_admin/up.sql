-- Who may sign in to the web admin with a name and a password.
CREATE TABLE admin_accounts (
    -- In lower case.
    name              TEXT PRIMARY KEY NOT NULL,
    role              TEXT    NOT NULL,
    -- Argon2id, in the PHC string format.
    password_hash     TEXT    NOT NULL,
    is_disabled       INTEGER NOT NULL CHECK (is_disabled IN (0, 1)),
    created_at        TEXT    NOT NULL,
    last_signed_in_at TEXT
) STRICT, WITHOUT ROWID;

-- Who is signed in: an account's name, or telegram: and an id. Of secrets the SHA-256 hash is kept.
CREATE TABLE admin_sessions (
    token_hash   BLOB PRIMARY KEY NOT NULL,
    admin        TEXT NOT NULL,
    signed_in_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX admin_sessions_admin ON admin_sessions (admin);

-- Links that the bot sent to sign in with.
CREATE TABLE admin_links (
    token_hash  BLOB PRIMARY KEY NOT NULL,
    telegram_id INTEGER NOT NULL,
    created_at  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- How often signing in failed of late. The key is a hash of the account, the address, or both.
CREATE TABLE sign_in_failures (
    key_hash BLOB PRIMARY KEY NOT NULL,
    failures INTEGER NOT NULL,
    last_at  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_in_failures_last_at ON sign_in_failures (last_at);

-- What admins did. Rows are added and never removed; who is erased leaves them without values.
CREATE TABLE audit_log (
    id        INTEGER PRIMARY KEY NOT NULL,
    at        TEXT    NOT NULL,
    -- As in admin_sessions; NULL for a management command.
    admin     TEXT,
    action    TEXT    NOT NULL,
    -- The telegram_id of the user that it was about.
    about     INTEGER,
    old_value TEXT,
    new_value TEXT
) STRICT;

-- Over -id, so that nobody takes the primary key for these queries: that reads the whole log where
-- what is sought is rare.
CREATE INDEX audit_log_admin_action ON audit_log (admin, action, (-id));
CREATE INDEX audit_log_admin ON audit_log (admin, (-id));
CREATE INDEX audit_log_action ON audit_log (action, (-id));
-- The last one: of indexes that look equally good, SQLite takes that, and few entries are about one
-- person, while an admin or an action may have a million.
CREATE INDEX audit_log_about ON audit_log (about, (-id));

-- Who was recognised in an update that is kept, so that it goes when that person is erased.
ALTER TABLE quarantine ADD COLUMN telegram_id INTEGER;

CREATE INDEX quarantine_telegram_id ON quarantine (telegram_id) WHERE telegram_id IS NOT NULL;
