//! The tables as both databases have them; `migrations/` is what makes them so.

diesel::table! {
    telegram_users (telegram_id) {
        telegram_id -> BigInt,
        first_name -> Text,
        last_name -> Nullable<Text>,
        username -> Nullable<Text>,
        language_code -> Nullable<Text>,
        is_bot -> Bool,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        last_seen -> Timestamp,
        active_day -> Date,
        previous_seen -> Nullable<Timestamp>,
        has_private_chat -> Bool,
        obstacle -> Nullable<Text>,
        blocked_at -> Nullable<Timestamp>,
        unblocked_at -> Nullable<Timestamp>,
        source -> Nullable<Text>,
    }
}

diesel::table! {
    reach_history (telegram_id, at, change) {
        telegram_id -> BigInt,
        at -> Timestamp,
        change -> Text,
    }
}

diesel::table! {
    starts (telegram_id, at, payload) {
        telegram_id -> BigInt,
        at -> Timestamp,
        payload -> Text,
    }
}

diesel::table! {
    bot_identity (only_row) {
        only_row -> SmallInt,
        telegram_id -> BigInt,
        claimed_at -> Timestamp,
    }
}

diesel::table! {
    recent_updates (block) {
        block -> BigInt,
        updates -> BigInt,
        previous_updates -> Nullable<BigInt>,
        recorded_at -> Timestamp,
    }
}

diesel::table! {
    interactions_by_day (day, kind) {
        day -> Date,
        kind -> Text,
        interactions -> BigInt,
    }
}

diesel::table! {
    quarantine (update_id) {
        update_id -> BigInt,
        received_at -> Timestamp,
        reason -> Text,
        registered -> Bool,
        payload -> Text,
    }
}
