-- What people asked about their data, without their names and ids.
CREATE TABLE privacy_requests (
    id          INTEGER PRIMARY KEY NOT NULL,
    -- A keyed hash of the Telegram id.
    person_hash BLOB NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('copy', 'erasure', 'telegram')),
    asked_at    TEXT NOT NULL,
    due_at      TEXT NOT NULL,
    done_at     TEXT
) STRICT;
CREATE INDEX privacy_requests_person ON privacy_requests (person_hash, kind, asked_at);
CREATE INDEX privacy_requests_open ON privacy_requests (due_at, id) WHERE done_at IS NULL;
CREATE INDEX privacy_requests_done ON privacy_requests (done_at) WHERE done_at IS NOT NULL;
