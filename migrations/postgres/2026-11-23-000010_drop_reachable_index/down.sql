CREATE INDEX telegram_users_reachable ON telegram_users (telegram_id)
    WHERE has_private_chat AND obstacle IS NULL;
