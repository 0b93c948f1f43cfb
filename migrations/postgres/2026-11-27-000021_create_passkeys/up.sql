-- The passkeys (WebAuthn) by which admins prove their identity, as a second factor.
CREATE TABLE passkeys (
    -- The SHA-256 hash of the credential's id, which the authenticator chose.
    id           BYTEA PRIMARY KEY,
    -- As in second_factors.
    admin        TEXT COLLATE "C" NOT NULL,
    -- What its owner calls it.
    name         TEXT NOT NULL,
    -- The host that it is for: browsers offer it nowhere else.
    host         TEXT NOT NULL,
    -- The credential with its public key, as JSON of the crate webauthn-rs.
    credential   TEXT NOT NULL,
    -- The authenticator's counter at the latest use: it only grows, or is always 0.
    sign_count   BIGINT NOT NULL DEFAULT 0,
    added_at     TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP
);
CREATE INDEX passkeys_admin ON passkeys (admin, added_at);

-- What a passkey was asked to sign in this session, and when. It is answered once.
ALTER TABLE admin_sessions ADD COLUMN challenge TEXT;
ALTER TABLE admin_sessions ADD COLUMN challenged_at TIMESTAMP;
