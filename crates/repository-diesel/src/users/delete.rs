use diesel::prelude::*;

use crate::{
    admin,
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{active_days, command_uses, quarantine, reach_history, starts, telegram_users},
        suppression_key::KeySource,
    },
    broadcasts, directory, labels, preferences,
    registration::usernames,
    sources, statistics, suppression, user_events,
};

/// Deletes users as [`delete`] does, and suppresses those that there were.
pub(super) fn erase(
    connection: &mut AnyConnection,
    ids: &[i64],
    source: &KeySource,
) -> Result<usize, Failure> {
    let erased = delete(connection, ids)?;
    suppression::hashes::suppress(connection, source, &erased)?;
    Ok(erased.len())
}

/// Deletes users with everything that is stored about them, in a transaction; returns those that there
/// were. The ids are sorted.
pub(crate) fn delete(connection: &mut AnyConnection, ids: &[i64]) -> Result<Vec<i64>, Failure> {
    // Only these: another user of the ids may be registered from now on.
    let (existing, share) = statistics::erase::share_of(connection, ids)?;
    let source_labels: Vec<i32> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(&existing))
        .filter(telegram_users::source_label.is_not_null())
        .select(telegram_users::source_label.assume_not_null())
        .distinct()
        .load(connection)?;
    for id in &existing {
        diesel::delete(telegram_users::table.find(id)).execute(connection)?;
        diesel::delete(active_days::table.filter(active_days::telegram_id.eq(id)))
            .execute(connection)?;
        diesel::delete(reach_history::table.filter(reach_history::telegram_id.eq(id)))
            .execute(connection)?;
        diesel::delete(command_uses::table.filter(command_uses::telegram_id.eq(id)))
            .execute(connection)?;
        diesel::delete(starts::table.filter(starts::telegram_id.eq(id))).execute(connection)?;
        preferences::delete(connection, *id)?;
        directory::erase::erase(connection, *id)?;
        labels::users::erase(connection, *id)?;
        user_events::rows::erase(connection, *id)?;
    }
    usernames::forget(connection, &existing)?;
    // An update may have been quarantined whose user was never stored.
    diesel::delete(quarantine::table.filter(quarantine::telegram_id.eq_any(ids)))
        .execute(connection)?;
    sources::change::give_up(connection, &source_labels)?;
    statistics::erase::erase(connection, share)?;
    broadcasts::erase::erase(connection, ids)?;
    admin::audit::log::empty_entries(connection, ids)?;
    Ok(existing)
}
