-- What people asked about their data, without their names and ids.
CREATE TABLE privacy_requests (
    id          BIGINT    PRIMARY KEY,
    -- A keyed hash of the Telegram id.
    person_hash BYTEA     NOT NULL,
    kind        TEXT      NOT NULL CHECK (kind IN ('copy', 'erasure', 'telegram')),
    asked_at    TIMESTAMP NOT NULL,
    due_at      TIMESTAMP NOT NULL,
    done_at     TIMESTAMP
);
CREATE INDEX privacy_requests_person ON privacy_requests (person_hash, kind, asked_at);
CREATE INDEX privacy_requests_open ON privacy_requests (due_at, id) WHERE done_at IS NULL;
CREATE INDEX privacy_requests_done ON privacy_requests (done_at) WHERE done_at IS NOT NULL;
