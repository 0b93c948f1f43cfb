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
        profile_seen -> Nullable<Timestamp>,
        active_day -> Date,
        previous_seen -> Nullable<Timestamp>,
        has_private_chat -> Bool,
        obstacle -> Nullable<Text>,
        blocked_at -> Nullable<Timestamp>,
        unblocked_at -> Nullable<Timestamp>,
        source -> Nullable<Text>,
        source_label -> Nullable<Integer>,
        first_hour -> Nullable<Integer>,
        day_interactions -> Integer,
        days_of_month -> SmallInt,
        active_days -> Integer,
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
    user_events (telegram_id, at, event) {
        telegram_id -> BigInt,
        at -> Timestamp,
        event -> Text,
        recorded_at -> Timestamp,
        claimed_until -> Nullable<Timestamp>,
        refused_at -> Nullable<Timestamp>,
        refusal -> Nullable<Text>,
    }
}

diesel::table! {
    starts (telegram_id, at, payload) {
        telegram_id -> BigInt,
        at -> Timestamp,
        payload -> Text,
        label -> Nullable<Integer>,
    }
}

diesel::table! {
    command_uses (telegram_id, command) {
        telegram_id -> BigInt,
        command -> Text,
        first_day -> Date,
        last_day -> Date,
        days -> Integer,
        recent_days -> BigInt,
    }
}

diesel::table! {
    profile_changes (telegram_id, at, field) {
        telegram_id -> BigInt,
        at -> Timestamp,
        field -> Text,
        old_value -> Nullable<Text>,
        new_value -> Nullable<Text>,
    }
}

diesel::table! {
    notes (telegram_id) {
        telegram_id -> BigInt,
        text -> Text,
        written_at -> Timestamp,
        written_by -> Text,
    }
}

diesel::table! {
    search_pending (telegram_id) {
        telegram_id -> BigInt,
    }
}

diesel::table! {
    bot_identity (only_row) {
        only_row -> SmallInt,
        telegram_id -> BigInt,
        claimed_at -> Timestamp,
        has_run -> Bool,
    }
}

diesel::table! {
    bot_behind (only_row) {
        only_row -> SmallInt,
        webhook_url -> Text,
        secret_token -> Text,
        max_connections -> SmallInt,
        allowed_updates -> Text,
    }
}

diesel::table! {
    api_keys (key_hash) {
        key_hash -> Binary,
        name -> Text,
        scopes -> Text,
        created_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    recent_updates (block, slot) {
        block -> BigInt,
        slot -> SmallInt,
        updates -> BigInt,
        recorded_at -> Timestamp,
    }
}

diesel::table! {
    active_days (telegram_id, day) {
        telegram_id -> BigInt,
        day -> Date,
        interactions -> Integer,
        first_hour -> Nullable<Integer>,
    }
}

diesel::table! {
    activity_sums (figure, day, label, slot) {
        figure -> Text,
        day -> Date,
        label -> Text,
        slot -> SmallInt,
        value -> BigInt,
    }
}

diesel::table! {
    source_sums (day, source, slot) {
        day -> Date,
        source -> Text,
        slot -> SmallInt,
        starts -> BigInt,
        new_users -> BigInt,
        reachable -> BigInt,
        day_1 -> BigInt,
        day_7 -> BigInt,
        day_30 -> BigInt,
    }
}

diesel::table! {
    minute_sums (place, slot) {
        place -> SmallInt,
        slot -> SmallInt,
        minute -> Integer,
        interactions -> BigInt,
    }
}

diesel::table! {
    erased_sums (figure, day, label) {
        figure -> Text,
        day -> Date,
        label -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    uncounted_users (telegram_id) {
        telegram_id -> BigInt,
    }
}

diesel::table! {
    uncounted_sums (telegram_id, figure, day, label) {
        telegram_id -> BigInt,
        figure -> Text,
        day -> Date,
        label -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    sources (payload) {
        payload -> Text,
        label -> Nullable<Integer>,
        since -> Nullable<Timestamp>,
        is_listed -> Bool,
        tag -> Nullable<Integer>,
    }
}

diesel::table! {
    activity_state (only_row) {
        only_row -> SmallInt,
        recounts -> BigInt,
        is_demo -> Bool,
        labels -> Integer,
    }
}

diesel::table! {
    segments (name) {
        name -> Text,
        filter -> Text,
        description -> Text,
        created_at -> Timestamp,
        zone -> Text,
        changed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    segment_passes (pass) {
        pass -> BigInt,
        day -> Date,
        began_at -> Timestamp,
        touched_at -> Timestamp,
        base -> Nullable<BigInt>,
        users -> BigInt,
        last_id -> BigInt,
        state -> Text,
        is_stale -> Bool,
    }
}

diesel::table! {
    segment_sizes (segment, pass) {
        segment -> Text,
        pass -> BigInt,
        users -> BigInt,
        joined_users -> Nullable<BigInt>,
        left_users -> Nullable<BigInt>,
    }
}

diesel::table! {
    segment_parts (pass, last_id) {
        pass -> BigInt,
        last_id -> BigInt,
        ids -> Binary,
    }
}

diesel::table! {
    segment_members (pass, last_id, segment) {
        pass -> BigInt,
        last_id -> BigInt,
        segment -> Text,
        members -> Binary,
        joined -> Nullable<Binary>,
        left_it -> Nullable<Binary>,
    }
}

diesel::table! {
    quarantine (update_id) {
        update_id -> BigInt,
        received_at -> Timestamp,
        reason -> Text,
        registered -> Bool,
        payload -> Text,
        telegram_id -> Nullable<BigInt>,
        undelivered -> Bool,
    }
}

diesel::table! {
    admin_accounts (name) {
        name -> Text,
        role -> Text,
        password_hash -> Text,
        is_disabled -> Bool,
        created_at -> Timestamp,
        last_signed_in_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    admin_sessions (token_hash) {
        token_hash -> Binary,
        admin -> Text,
        signed_in_at -> Timestamp,
        last_used_at -> Timestamp,
        owes_factor -> Bool,
        confirmed_at -> Nullable<Timestamp>,
        device -> Text,
        address -> Text,
        offered_secret -> Nullable<Binary>,
        challenge -> Nullable<Text>,
        challenged_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    second_factors (admin) {
        admin -> Text,
        secret -> Binary,
        enabled_at -> Timestamp,
        last_step -> BigInt,
    }
}

diesel::table! {
    recovery_codes (admin, code_hash) {
        admin -> Text,
        code_hash -> Binary,
    }
}

diesel::table! {
    passkeys (id) {
        id -> Binary,
        admin -> Text,
        name -> Text,
        host -> Text,
        credential -> Text,
        sign_count -> BigInt,
        added_at -> Timestamp,
        last_used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    admin_links (token_hash) {
        token_hash -> Binary,
        telegram_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    telegram_owners (telegram_id) {
        telegram_id -> BigInt,
        claimed_at -> Timestamp,
    }
}

diesel::table! {
    claim_codes (code_hash) {
        code_hash -> Binary,
        created_at -> Timestamp,
        wrong_codes -> Integer,
    }
}

diesel::table! {
    mini_app_sign_ins (data_hash) {
        data_hash -> Binary,
        signed_in_at -> Timestamp,
    }
}

diesel::table! {
    admin_invitations (token_hash) {
        token_hash -> Binary,
        role -> Text,
        invited_by -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    sign_in_failures (key_hash) {
        key_hash -> Binary,
        failures -> Integer,
        last_at -> Timestamp,
    }
}

diesel::table! {
    audit_log (id) {
        id -> BigInt,
        at -> Timestamp,
        admin -> Nullable<Text>,
        action -> Text,
        about -> Nullable<BigInt>,
        old_value -> Nullable<Text>,
        new_value -> Nullable<Text>,
        salt -> Nullable<Binary>,
        values_hash -> Nullable<Binary>,
        hash -> Nullable<Binary>,
    }
}

diesel::table! {
    audit_head (only_row) {
        only_row -> SmallInt,
        hash -> Binary,
        removed_hash -> Binary,
    }
}

diesel::table! {
    device_secret (only_row) {
        only_row -> SmallInt,
        secret -> Binary,
    }
}

diesel::table! {
    device_generations (admin) {
        admin -> Text,
        generation -> BigInt,
    }
}

diesel::table! {
    teams (id) {
        id -> BigInt,
        abbreviation -> Text,
        name -> Text,
        club -> Nullable<BigInt>,
    }
}

diesel::table! {
    games (id) {
        id -> BigInt,
        season -> Integer,
        kind -> Text,
        starts_at -> Timestamp,
        is_time_open -> Bool,
        away_team -> BigInt,
        home_team -> BigInt,
        venue -> Text,
        venue_zone -> Nullable<Text>,
        state -> Text,
        away_score -> Nullable<Integer>,
        home_score -> Nullable<Integer>,
        revision -> Integer,
        day -> Nullable<Date>,
        is_withdrawn -> Bool,
    }
}

diesel::table! {
    refreshes (name) {
        name -> Text,
        refreshed_at -> Nullable<Timestamp>,
        held_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    labels (id) {
        id -> Integer,
        kind -> Text,
        name -> Text,
        description -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    label_numbers (only_row) {
        only_row -> SmallInt,
        last_label -> Integer,
        last_change -> BigInt,
    }
}

diesel::table! {
    user_labels (telegram_id, label) {
        telegram_id -> BigInt,
        label -> Integer,
    }
}

diesel::table! {
    label_changes (id) {
        id -> BigInt,
        started_at -> Timestamp,
        touched_at -> Timestamp,
        admin -> Nullable<Text>,
        label -> Integer,
        is_added -> Bool,
        filter -> Nullable<Text>,
        zone -> Text,
        users -> BigInt,
        last_id -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    label_changed_users (telegram_id, change) {
        telegram_id -> BigInt,
        change -> BigInt,
    }
}

diesel::table! {
    preferences (telegram_id) {
        telegram_id -> BigInt,
        language -> Nullable<Text>,
        time_zone -> Nullable<Text>,
    }
}

diesel::table! {
    favourite_teams (telegram_id, team) {
        telegram_id -> BigInt,
        team -> BigInt,
    }
}

diesel::table! {
    privacy_requests (id) {
        id -> BigInt,
        person_hash -> Binary,
        kind -> Text,
        asked_at -> Timestamp,
        due_at -> Timestamp,
        done_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    broadcast_categories (name) {
        name -> Text,
        weekly_cap -> Nullable<Integer>,
    }
}

diesel::table! {
    opt_outs (telegram_id, category) {
        telegram_id -> BigInt,
        category -> Text,
        at -> Timestamp,
    }
}

diesel::table! {
    broadcasts (id) {
        id -> BigInt,
        name -> Text,
        category -> Text,
        filter -> Text,
        zone -> Text,
        content -> Text,
        rate -> Nullable<Integer>,
        is_paid -> Bool,
        on_unknown -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        created_at -> Timestamp,
        created_by -> Nullable<Text>,
        starts_at -> Nullable<Timestamp>,
        started_at -> Nullable<Timestamp>,
        lasts_seconds -> Integer,
        prepared_at -> Nullable<Timestamp>,
        ended_at -> Nullable<Timestamp>,
        prepared_to -> BigInt,
        settled_to -> BigInt,
        claimed_to -> BigInt,
        has_opt_out_button -> Bool,
        opt_outs -> BigInt,
        local_time -> Nullable<Timestamp>,
        quiet_hours -> Nullable<Text>,
        hold_out -> Nullable<Integer>,
        experiment -> Nullable<Text>,
        tested_at -> Nullable<Timestamp>,
        pick -> Nullable<Text>,
        decision -> Nullable<Text>,
    }
}

diesel::table! {
    broadcast_activity (broadcast) {
        broadcast -> BigInt,
        counted_to -> BigInt,
        sent -> BigInt,
        sent_active -> BigInt,
        held_out -> BigInt,
        held_out_active -> BigInt,
        counted_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    broadcast_recipients (telegram_id, broadcast) {
        telegram_id -> BigInt,
        broadcast -> BigInt,
        state -> Text,
        reason -> Nullable<Text>,
        message_id -> Nullable<BigInt>,
        at -> Nullable<Timestamp>,
        due_at -> Nullable<Timestamp>,
        arm -> Nullable<Text>,
    }
}

diesel::table! {
    broadcast_arm_sums (broadcast, arm, state) {
        broadcast -> BigInt,
        arm -> Text,
        state -> Text,
        users -> BigInt,
    }
}

diesel::table! {
    broadcast_sums (broadcast, state, reason) {
        broadcast -> BigInt,
        state -> Text,
        reason -> Text,
        users -> BigInt,
    }
}

diesel::table! {
    broadcast_pictures (id) {
        id -> Binary,
        kind -> Text,
        width -> Integer,
        height -> Integer,
        bytes -> Integer,
        stored_at -> Timestamp,
        file_id -> Nullable<Text>,
        content -> Binary,
    }
}

diesel::table! {
    broadcast_picture_uses (picture, broadcast) {
        picture -> Binary,
        broadcast -> BigInt,
    }
}

diesel::table! {
    broadcast_presses (telegram_id, broadcast, button) {
        telegram_id -> BigInt,
        broadcast -> BigInt,
        button -> Integer,
        at -> Timestamp,
    }
}

diesel::table! {
    broadcast_responses (broadcast, response) {
        broadcast -> BigInt,
        response -> Text,
        users -> BigInt,
    }
}

diesel::table! {
    broadcast_sender (only_row) {
        only_row -> SmallInt,
        holder -> Nullable<Text>,
        renewals -> BigInt,
        claims -> BigInt,
        origin -> Nullable<Text>,
    }
}

diesel::table! {
    broadcast_requests (telegram_id) {
        telegram_id -> BigInt,
        filter -> Text,
        zone -> Text,
        at -> Timestamp,
        refused_album -> Nullable<Text>,
    }
}

diesel::table! {
    broadcast_progress (telegram_id, broadcast) {
        telegram_id -> BigInt,
        broadcast -> BigInt,
        message_id -> BigInt,
        next_at -> Timestamp,
        shown -> Nullable<BigInt>,
    }
}

diesel::table! {
    suppressed_users (id_hash) {
        id_hash -> Binary,
    }
}

diesel::table! {
    suppression_key (only_row) {
        only_row -> SmallInt,
        key_check -> Binary,
        secret -> Nullable<Binary>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    admin_accounts,
    admin_sessions,
    passkeys,
    second_factors,
);
diesel::allow_tables_to_appear_in_same_query!(admin_sessions, device_generations);
diesel::allow_tables_to_appear_in_same_query!(broadcast_activity, broadcasts);
diesel::allow_tables_to_appear_in_same_query!(broadcast_recipients, broadcasts);
diesel::allow_tables_to_appear_in_same_query!(games, teams);
diesel::allow_tables_to_appear_in_same_query!(label_changes, labels);
diesel::allow_tables_to_appear_in_same_query!(labels, sources);
diesel::allow_tables_to_appear_in_same_query!(
    segment_members,
    segment_parts,
    segment_passes,
    segment_sizes,
);
diesel::allow_tables_to_appear_in_same_query!(sources, telegram_users);
diesel::allow_tables_to_appear_in_same_query!(telegram_users, uncounted_users);
