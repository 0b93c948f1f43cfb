-- Users that the sums leave out: admins, with COUNT_ADMINS=off. They may not have a row yet.
CREATE TABLE uncounted_users (
    telegram_id INTEGER PRIMARY KEY
) STRICT;

-- What each of them had counted in the sums about the past before. It stays in the sums.
CREATE TABLE uncounted_sums (
    telegram_id INTEGER NOT NULL,
    figure      TEXT    NOT NULL,
    day         TEXT    NOT NULL,
    label       TEXT    NOT NULL,
    value       INTEGER NOT NULL,
    PRIMARY KEY (telegram_id, figure, day, label)
) STRICT, WITHOUT ROWID;
