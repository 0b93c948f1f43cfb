-- The kinds of broadcasts that users can opt out of. `weekly_cap` is how many of them a user gets in
-- seven days at most; NULL is no limit.
CREATE TABLE broadcast_categories (
    name       TEXT    PRIMARY KEY,
    weekly_cap INTEGER CHECK (weekly_cap > 0)
);
INSERT INTO broadcast_categories (name) VALUES ('news'), ('promo'), ('system');

-- Who has opted out of which category.
CREATE TABLE opt_outs (
    telegram_id BIGINT NOT NULL,
    category    TEXT    NOT NULL,
    at          TIMESTAMP    NOT NULL,
    PRIMARY KEY (telegram_id, category)
);

-- Messages to all users that a filter selects.
CREATE TABLE broadcasts (
    id            BIGINT PRIMARY KEY,
    name          TEXT    NOT NULL,
    category      TEXT    NOT NULL,
    filter        TEXT    NOT NULL,
    -- The time zone of the filter's days.
    zone          TEXT    NOT NULL DEFAULT 'UTC',
    -- What is sent, as JSON.
    content       TEXT    NOT NULL,
    -- The most messages a second; NULL is what the bot has left.
    rate          INTEGER CHECK (rate > 0),
    -- Paid by the bot's Stars, for more messages a second.
    is_paid       BOOLEAN NOT NULL DEFAULT FALSE,
    on_unknown    TEXT    NOT NULL CHECK (on_unknown IN ('skip', 'resend')),
    state         TEXT    NOT NULL CHECK (state IN (
        'draft', 'scheduled', 'preparing', 'sending', 'paused', 'finished', 'cancelled')),
    -- Why it is paused.
    reason        TEXT,
    created_at    TIMESTAMP    NOT NULL,
    -- NULL for a management command.
    created_by    TEXT,
    -- When it is to start; NULL for when an admin starts it.
    starts_at     TIMESTAMP,
    -- When it started. The ages of its filter are counted back from here.
    started_at    TIMESTAMP,
    -- How many seconds after its start the last message may be sent.
    lasts_seconds INTEGER NOT NULL CHECK (lasts_seconds > 0),
    -- When all its recipients were stored.
    prepared_at   TIMESTAMP,
    ended_at      TIMESTAMP,
    -- The last id that was looked at for its recipients.
    prepared_to   BIGINT NOT NULL DEFAULT 0,
    -- No recipient up to this id is queued or claimed.
    settled_to    BIGINT NOT NULL DEFAULT 0,
    -- None after this one was ever claimed.
    claimed_to    BIGINT NOT NULL DEFAULT 0,
    -- Whether its messages have a button that opts out of the category.
    has_opt_out_button BOOLEAN NOT NULL,
    -- How many recipients opted out within 24 hours after their message, and not in again.
    opt_outs      BIGINT NOT NULL DEFAULT 0
);

-- Who a broadcast goes to, and what became of the message.
CREATE TABLE broadcast_recipients (
    telegram_id BIGINT NOT NULL,
    broadcast   BIGINT NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'queued',
    -- Why it was not sent.
    reason      TEXT,
    message_id  BIGINT,
    -- When it got this state; NULL while it is queued.
    at          TIMESTAMP,
    PRIMARY KEY (telegram_id, broadcast)
);
CREATE INDEX broadcast_recipients_broadcast ON broadcast_recipients (broadcast, telegram_id);

-- How many recipients of a broadcast have each state and reason ('' for none).
CREATE TABLE broadcast_sums (
    broadcast BIGINT NOT NULL,
    state     TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    users     BIGINT NOT NULL,
    PRIMARY KEY (broadcast, state, reason)
);

-- The process that sends.
CREATE TABLE broadcast_sender (
    only_row SMALLINT PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    -- NULL if none does.
    holder   TEXT,
    -- How often its lease was renewed.
    renewals BIGINT NOT NULL DEFAULT 0,
    -- How often recipients were claimed, ever.
    claims   BIGINT NOT NULL DEFAULT 0,
    -- Which database this is: a restored one is another.
    origin   TEXT
);
INSERT INTO broadcast_sender DEFAULT VALUES;
