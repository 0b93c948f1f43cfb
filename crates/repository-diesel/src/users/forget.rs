//! Deleting what is old.

use diesel::prelude::*;

use crate::base::{
    connection::AnyConnection,
    schema::{quarantine, recent_updates},
    timestamp::UtcMicros,
};

/// Deletes `update_id`s that were recorded before a time; returns how many blocks of them.
pub(super) fn forget_updates(
    connection: &mut AnyConnection,
    before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<i64> = recent_updates::table
        .select(recent_updates::block)
        .filter(recent_updates::recorded_at.lt(before))
        .order(recent_updates::block)
        .limit(limit)
        .load(connection)?;
    // Checked again, because another update of a block may have been recorded meanwhile.
    let old = recent_updates::table
        .filter(recent_updates::block.eq_any(old))
        .filter(recent_updates::recorded_at.lt(before));
    diesel::delete(old).execute(connection)
}

/// Deletes quarantined updates that were received before a time, or before a later one if they are kept
/// whole for the bot behind; returns how many.
pub(super) fn forget_quarantined(
    connection: &mut AnyConnection,
    before: UtcMicros,
    whole_before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let is_whole = quarantine::undelivered.and(quarantine::received_at.lt(whole_before));
    let oldest: Vec<i64> = quarantine::table
        .select(quarantine::update_id)
        .filter(quarantine::received_at.lt(before).or(is_whole))
        .order(quarantine::received_at)
        .limit(limit)
        .load(connection)?;
    diesel::delete(quarantine::table.filter(quarantine::update_id.eq_any(oldest)))
        .execute(connection)
}
