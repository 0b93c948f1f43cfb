-- Owners who claimed the bot with a code; those in ADMIN_TELEGRAM_IDS have no row.
CREATE TABLE telegram_owners (
    telegram_id BIGINT PRIMARY KEY,
    claimed_at  TIMESTAMP NOT NULL
);

-- The codes that the log printed while there was no owner.
CREATE TABLE claim_codes (
    code_hash   BYTEA PRIMARY KEY,
    created_at  TIMESTAMP NOT NULL,
    -- How many wrong codes arrived while it was valid. At the limit it is no longer valid.
    wrong_codes INTEGER NOT NULL
);

-- The Mini App data that signed admins in, so that each signs in once. A row is deleted when its
-- data has expired.
CREATE TABLE mini_app_sign_ins (
    data_hash    BYTEA PRIMARY KEY,
    signed_in_at TIMESTAMP NOT NULL
);
