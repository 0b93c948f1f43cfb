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
    schema::{segment_members, segment_parts, segment_passes, segment_sizes},
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
    Ok(has_part || !dropped(connection)?.is_empty())
}

/// The passes that are dropped, but for the latest of all: its number is not given again.
fn dropped(connection: &mut AnyConnection) -> QueryResult<Vec<i64>> {
    let newest: Option<i64> =
        segment_passes::table.select(diesel::dsl::max(segment_passes::pass)).first(connection)?;
    segment_passes::table
        .filter(segment_passes::state.eq(DROPPED))
        .filter(segment_passes::pass.nullable().ne(newest))
        .select(segment_passes::pass)
        .load(connection)
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
    let dropped = dropped(connection)?;
    diesel::delete(segment_sizes::table)
        .filter(segment_sizes::pass.eq_any(&dropped))
        .execute(connection)?;
    diesel::delete(segment_passes::table)
        .filter(segment_passes::pass.eq_any(&dropped))
        .execute(connection)?;
    Ok(false)
}
