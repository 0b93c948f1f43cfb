-- Where last_seen lies in the future, because a clock was ahead when it was recorded: the time of the
-- latest interaction since then, by which later ones are judged. NULL as a rule.
ALTER TABLE telegram_users ADD COLUMN profile_seen TEXT;
