-- Saved segments: filters with a name. Their users are those who meet the filter at the moment.
CREATE TABLE segments (
    name        TEXT NOT NULL PRIMARY KEY,
    filter      TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
