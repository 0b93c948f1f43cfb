-- The secret that signs the cookies of known devices: at most one row, created when it is first
-- needed.
CREATE TABLE device_secret (
    only_row INTEGER PRIMARY KEY NOT NULL CHECK (only_row = 1),
    secret   BLOB NOT NULL
) STRICT;

-- How often the known devices of an admin became unknown; without a row, never.
CREATE TABLE device_generations (
    -- As in admin_sessions.
    admin      TEXT PRIMARY KEY NOT NULL,
    generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
