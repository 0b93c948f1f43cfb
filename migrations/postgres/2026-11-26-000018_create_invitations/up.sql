-- Invitations to create an account for the web admin, which the link's secret accepts once.
CREATE TABLE admin_invitations (
    token_hash BYTEA PRIMARY KEY,
    role       TEXT NOT NULL,
    -- As in admin_sessions.
    invited_by TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
