-- The time zone of the days in a segment's filter.
ALTER TABLE segments ADD COLUMN zone TEXT NOT NULL DEFAULT 'UTC';
-- When its filter or one that it uses was last changed; NULL if never.
ALTER TABLE segments ADD COLUMN changed_at TIMESTAMP;

-- Passes over all users that evaluate all segments, one a day. A pass is `done` while its memberships
-- are kept, and `counted` when only its sizes are. A `dropped` one is shown nowhere.
CREATE TABLE segment_passes (
    pass       BIGINT    PRIMARY KEY,
    day        DATE      NOT NULL,
    began_at   TIMESTAMP NOT NULL,
    -- The latest step.
    touched_at TIMESTAMP NOT NULL,
    -- The pass that it is compared with.
    base       BIGINT,
    users      BIGINT    NOT NULL DEFAULT 0,
    -- The last id that was looked at.
    last_id    BIGINT    NOT NULL DEFAULT 0,
    state      TEXT      NOT NULL CHECK (state IN ('running', 'done', 'counted', 'dropped')),
    -- Whether segments were changed since it began, so that another process cannot go on with it.
    is_stale   BOOLEAN   NOT NULL DEFAULT FALSE
);

-- The size of a segment at a pass. `joined_users` and `left_users` are NULL if the pass before had no
-- such segment, or had it with another filter.
CREATE TABLE segment_sizes (
    segment      TEXT   NOT NULL,
    pass         BIGINT NOT NULL,
    users        BIGINT NOT NULL,
    joined_users BIGINT,
    left_users   BIGINT,
    PRIMARY KEY (segment, pass)
);

-- Almost every query is about one pass.
CREATE INDEX segment_sizes_pass ON segment_sizes (pass);

-- The parts of a pass: the ids of all users after the part before, up to `last_id`.
CREATE TABLE segment_parts (
    pass    BIGINT NOT NULL,
    last_id BIGINT NOT NULL,
    ids     BYTEA  NOT NULL,
    PRIMARY KEY (pass, last_id)
);

-- Which users of a part are in a segment, and which joined and left it since the pass before.
CREATE TABLE segment_members (
    pass    BIGINT NOT NULL,
    last_id BIGINT NOT NULL,
    segment TEXT   NOT NULL,
    members BYTEA  NOT NULL,
    joined  BYTEA,
    left_it BYTEA,
    PRIMARY KEY (pass, last_id, segment)
);
