-- The second factor of an admin: an account's name, or telegram: and an id.
CREATE TABLE second_factors (
    admin      TEXT PRIMARY KEY NOT NULL,
    -- The shared secret of TOTP (RFC 6238). Checking a code needs the secret itself, so it is not hashed.
    secret     BLOB    NOT NULL,
    enabled_at TEXT    NOT NULL,
    -- The time step of the latest accepted code: a code is accepted once.
    last_step  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Recovery codes that have not been used yet, as SHA-256 hashes.
CREATE TABLE recovery_codes (
    admin     TEXT NOT NULL,
    code_hash BLOB NOT NULL,
    PRIMARY KEY (admin, code_hash)
) STRICT, WITHOUT ROWID;

-- Whether the second factor has still to be given, and when its admin last proved their identity.
ALTER TABLE admin_sessions ADD COLUMN owes_factor INTEGER NOT NULL DEFAULT 0 CHECK (owes_factor IN (0, 1));
ALTER TABLE admin_sessions ADD COLUMN confirmed_at TEXT;
-- Where the session was started: the browser and system in words, and the address.
ALTER TABLE admin_sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE admin_sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
-- The secret that is shown while a second factor is being set up.
ALTER TABLE admin_sessions ADD COLUMN offered_secret BLOB;
