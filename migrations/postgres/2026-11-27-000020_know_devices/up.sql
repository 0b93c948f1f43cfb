-- The secret that signs the cookies of known devices: at most one row, created when it is first
-- needed.
CREATE TABLE device_secret (
    only_row SMALLINT PRIMARY KEY CHECK (only_row = 1),
    secret   BYTEA NOT NULL
);

-- How often the known devices of an admin became unknown; without a row, never.
CREATE TABLE device_generations (
    -- As in admin_sessions.
    admin      TEXT COLLATE "C" PRIMARY KEY,
    generation BIGINT NOT NULL
);
