use diesel::prelude::*;

use crate::{
    admin,
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{active_days, command_uses, quarantine, reach_history, starts, telegram_users},
    },
    broadcasts, directory, labels, preferences, sources, statistics, user_events,
};

/// Deletes users with everything that is stored about them, in a transaction; returns how many there
/// were. The ids are sorted.
pub(super) fn delete(connection: &mut AnyConnection, ids: &[i64]) -> Result<usize, Failure> {
    let share = statistics::erase::share_of(connection, ids)?;
    let source_labels: Vec<i32> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(ids))
        .filter(telegram_users::source_label.is_not_null())
        .select(telegram_users::source_label.assume_not_null())
        .distinct()
        .load(connection)?;
    let mut deleted = 0;
    for id in ids {
        deleted += diesel::delete(telegram_users::table.find(id)).execute(connection)?;
        diesel::delete(active_days::table.filter(active_days::telegram_id.eq(id)))
            .execute(connection)?;
        diesel::delete(reach_history::table.filter(reach_history::telegram_id.eq(id)))
            .execute(connection)?;
        diesel::delete(command_uses::table.filter(command_uses::telegram_id.eq(id)))
            .execute(connection)?;
        diesel::delete(starts::table.filter(starts::telegram_id.eq(id))).execute(connection)?;
        preferences::delete(connection, *id)?;
        diesel::delete(quarantine::table.filter(quarantine::telegram_id.eq(id)))
            .execute(connection)?;
        directory::erase::erase(connection, *id)?;
        labels::users::erase(connection, *id)?;
        user_events::rows::erase(connection, *id)?;
    }
    sources::change::give_up(connection, &source_labels)?;
    statistics::erase::erase(connection, share)?;
    broadcasts::erase::erase(connection, ids)?;
    admin::audit::log::empty_entries(connection, ids)?;
    Ok(deleted)
}
