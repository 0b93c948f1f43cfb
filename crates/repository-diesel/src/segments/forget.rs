//! Forgetting the memberships of passes that are compared with nothing any more.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::{
    row::{COUNTED, DONE, DROPPED, RUNNING, latest, passes},
    segment::lock,
};
use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::{segment_members, segment_parts, segment_passes},
};

/// The passes whose memberships are needed: the latest one, the one that runs, and those that they are
/// compared with.
fn needed(connection: &mut AnyConnection) -> QueryResult<BTreeSet<i64>> {
    let mut rows = passes(connection, &[RUNNING])?;
    rows.extend(latest(connection)?);
    Ok(rows.iter().flat_map(|row| [Some(row.pass), row.base]).flatten().collect())
}

/// Whether there is anything to forget.
pub(super) fn any(connection: &mut AnyConnection) -> QueryResult<bool> {
    let needed: Vec<i64> = needed(connection)?.into_iter().collect();
    let part = segment_parts::table.filter(segment_parts::pass.ne_all(&needed));
    let has_part = diesel::select(diesel::dsl::exists(part)).get_result(connection)?;
    let is_dropped = segment_passes::table.filter(segment_passes::state.eq(DROPPED));
    Ok(has_part || diesel::select(diesel::dsl::exists(is_dropped)).get_result(connection)?)
}

/// Forgets some parts; returns whether there may be more. Runs in a transaction.
pub(super) fn forget(connection: &mut AnyConnection, most: i64) -> Result<bool, Failure> {
    // No pass begins meanwhile, which could be compared with one of these.
    lock(connection)?;
    let needed: Vec<i64> = needed(connection)?.into_iter().collect();
    let kept = segment_passes::table
        .filter(segment_passes::state.eq(DONE))
        .filter(segment_passes::pass.ne_all(&needed));
    diesel::update(kept).set(segment_passes::state.eq(COUNTED)).execute(connection)?;
    let parts: Vec<(i64, i64)> = segment_parts::table
        .filter(segment_parts::pass.ne_all(&needed))
        .order((segment_parts::pass, segment_parts::last_id))
        .limit(most)
        .select((segment_parts::pass, segment_parts::last_id))
        .load(connection)?;
    for (pass, last_id) in &parts {
        diesel::delete(segment_members::table)
            .filter(segment_members::pass.eq(pass))
            .filter(segment_members::last_id.eq(last_id))
            .execute(connection)?;
        diesel::delete(segment_parts::table.find((pass, last_id))).execute(connection)?;
    }
    if !parts.is_empty() {
        return Ok(true);
    }
    diesel::delete(segment_passes::table)
        .filter(segment_passes::state.eq(DROPPED))
        .execute(connection)?;
    Ok(false)
}
