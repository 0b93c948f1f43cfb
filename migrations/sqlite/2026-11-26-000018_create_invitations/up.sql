-- Invitations to create an account for the web admin, which the link's secret accepts once.
CREATE TABLE admin_invitations (
    token_hash BLOB PRIMARY KEY NOT NULL,
    role       TEXT NOT NULL,
    -- As in admin_sessions.
    invited_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
