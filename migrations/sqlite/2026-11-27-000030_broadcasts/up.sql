-- The kinds of broadcasts that users can opt out of. `weekly_cap` is how many of them a user gets in
-- seven days at most; NULL is no limit.
CREATE TABLE broadcast_categories (
    name       TEXT    PRIMARY KEY,
    weekly_cap INTEGER CHECK (weekly_cap > 0)
) STRICT, WITHOUT ROWID;
INSERT INTO broadcast_categories (name) VALUES ('news'), ('promo'), ('system');

-- Who has opted out of which category.
CREATE TABLE opt_outs (
    telegram_id INTEGER NOT NULL,
    category    TEXT    NOT NULL,
    at          TEXT    NOT NULL,
    PRIMARY KEY (telegram_id, category)
) STRICT, WITHOUT ROWID;

-- Messages to all users that a filter selects.
CREATE TABLE broadcasts (
    id            INTEGER PRIMARY KEY,
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
    is_paid       INTEGER NOT NULL DEFAULT 0 CHECK (is_paid IN (0, 1)),
    on_unknown    TEXT    NOT NULL CHECK (on_unknown IN ('skip', 'resend')),
    state         TEXT    NOT NULL CHECK (state IN (
        'draft', 'scheduled', 'preparing', 'sending', 'paused', 'finished', 'cancelled')),
    -- Why it is paused.
    reason        TEXT,
    created_at    TEXT    NOT NULL,
    -- NULL for a management command.
    created_by    TEXT,
    -- When it is to start; NULL for when an admin starts it.
    starts_at     TEXT,
    -- When it started. The ages of its filter are counted back from here.
    started_at    TEXT,
    -- How many seconds after its start the last message may be sent.
    lasts_seconds INTEGER NOT NULL CHECK (lasts_seconds > 0),
    -- When all its recipients were stored.
    prepared_at   TEXT,
    ended_at      TEXT,
    -- The last id that was looked at for its recipients.
    prepared_to   INTEGER NOT NULL DEFAULT 0,
    -- No recipient up to this id is queued or claimed.
    settled_to    INTEGER NOT NULL DEFAULT 0,
    -- None after this one was ever claimed.
    claimed_to    INTEGER NOT NULL DEFAULT 0,
    -- Whether its messages have a button that opts out of the category.
    has_opt_out_button INTEGER NOT NULL CHECK (has_opt_out_button IN (0, 1)),
    -- How many recipients opted out within 24 hours after their message, and not in again.
    opt_outs      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Who a broadcast goes to, and what became of the message.
CREATE TABLE broadcast_recipients (
    telegram_id INTEGER NOT NULL,
    broadcast   INTEGER NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'queued',
    -- Why it was not sent.
    reason      TEXT,
    message_id  INTEGER,
    -- When it got this state; NULL while it is queued.
    at          TEXT,
    PRIMARY KEY (telegram_id, broadcast)
) STRICT, WITHOUT ROWID;
CREATE INDEX broadcast_recipients_broadcast ON broadcast_recipients (broadcast, telegram_id);

-- How many recipients of a broadcast have each state and reason ('' for none).
CREATE TABLE broadcast_sums (
    broadcast INTEGER NOT NULL,
    state     TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    users     INTEGER NOT NULL,
    PRIMARY KEY (broadcast, state, reason)
) STRICT, WITHOUT ROWID;

-- The process that sends.
CREATE TABLE broadcast_sender (
    only_row INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    -- NULL if none does.
    holder   TEXT,
    -- How often its lease was renewed.
    renewals INTEGER NOT NULL DEFAULT 0,
    -- How often recipients were claimed, ever.
    claims   INTEGER NOT NULL DEFAULT 0,
    -- Which database this is: a restored one is another.
    origin   TEXT
) STRICT;
INSERT INTO broadcast_sender DEFAULT VALUES;
