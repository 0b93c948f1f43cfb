-- Users that the sums leave out: admins, with COUNT_ADMINS=off. They may not have a row yet.
CREATE TABLE uncounted_users (
    telegram_id BIGINT PRIMARY KEY
);

-- What each of them had counted in the sums about the past before. It stays in the sums.
CREATE TABLE uncounted_sums (
    telegram_id BIGINT NOT NULL,
    figure      TEXT   NOT NULL,
    day         DATE   NOT NULL,
    label       TEXT   NOT NULL,
    value       BIGINT NOT NULL,
    PRIMARY KEY (telegram_id, figure, day, label)
);
