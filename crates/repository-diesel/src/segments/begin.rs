//! Beginning a pass, and completing it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::Segment;
use rollcall_repository::{BeginPass, SegmentPass};

use super::{
    row::{COUNTED, DONE, DROPPED, PassRow, RUNNING, next_number, passes},
    segment::{all, lock},
};
use crate::base::{
    connection::{AnyConnection, either},
    error::Failure,
    schema::{segment_passes, segment_sizes},
    timestamp::UtcMicros,
};

#[derive(Insertable)]
#[diesel(table_name = segment_sizes, treat_none_as_default_value = false)]
struct NewSize {
    segment: String,
    pass: i64,
    users: i64,
    joined_users: Option<i64>,
    left_users: Option<i64>,
}

/// Whether there may be a pass to begin, or memberships that no segment needs.
pub(super) fn may_begin(
    connection: &mut AnyConnection,
    begin: &BeginPass,
) -> Result<bool, Failure> {
    let counted = passes(connection, &[DONE, COUNTED])?;
    Ok(if all(connection)?.is_empty() {
        counted.iter().any(|row| row.state == DONE)
    } else {
        begin.again || counted.iter().all(|row| row.day < begin.day)
    })
}

/// See [`SegmentPassRepository::begin_segment_pass`](rollcall_repository::SegmentPassRepository::begin_segment_pass).
/// Runs in a transaction.
pub(super) fn begin(
    connection: &mut AnyConnection,
    begin: &BeginPass,
) -> Result<Option<(SegmentPass, Vec<Segment>)>, Failure> {
    lock(connection)?;
    let segments = all(connection)?;
    let running = passes(connection, &[RUNNING])?;
    let is_at_work = |row: &PassRow| DateTime::<Utc>::from(row.touched_at) > begin.idle_since;
    if running.iter().any(is_at_work) {
        return Ok(None);
    }
    let interrupted = running.into_iter().find(|row| row.day == begin.day && !row.is_stale);
    if let (Some(row), false) = (interrupted, segments.is_empty()) {
        return go_on(connection, row, segments, begin).map(Some);
    }
    let given_up = segment_passes::table.filter(segment_passes::state.eq(RUNNING));
    diesel::update(given_up).set(segment_passes::state.eq(DROPPED)).execute(connection)?;
    if segments.is_empty() {
        let kept = segment_passes::table.filter(segment_passes::state.eq(DONE));
        diesel::update(kept).set(segment_passes::state.eq(COUNTED)).execute(connection)?;
        return Ok(None);
    }
    let counted = passes(connection, &[DONE, COUNTED])?;
    if counted.iter().any(|row| row.day >= begin.day) && !begin.again {
        return Ok(None);
    }
    let base = counted.iter().filter(|row| row.state == DONE && row.day < begin.day);
    let base = base.max_by_key(|row| (row.day, row.pass)).cloned();
    insert(connection, begin, base.as_ref(), &segments).map(|pass| Some((pass, segments)))
}

/// An interrupted pass, with the segments that it began with.
fn go_on(
    connection: &mut AnyConnection,
    row: PassRow,
    segments: Vec<Segment>,
    begin: &BeginPass,
) -> Result<(SegmentPass, Vec<Segment>), Failure> {
    let at = UtcMicros::from(begin.at);
    diesel::update(segment_passes::table.find(row.pass))
        .set(segment_passes::touched_at.eq(at))
        .execute(connection)?;
    let names: Vec<String> = segment_sizes::table
        .filter(segment_sizes::pass.eq(row.pass))
        .select(segment_sizes::segment)
        .load(connection)?;
    let is_in = |segment: &Segment| names.iter().any(|name| name == segment.name.as_str());
    Ok((row.into(), segments.into_iter().filter(is_in).collect()))
}

fn insert(
    connection: &mut AnyConnection,
    begin: &BeginPass,
    base: Option<&PassRow>,
    segments: &[Segment],
) -> Result<SegmentPass, Failure> {
    let row = PassRow {
        pass: next_number(connection)?,
        day: begin.day,
        began_at: begin.at.into(),
        touched_at: begin.at.into(),
        base: base.map(|base| base.pass),
        users: 0,
        last_id: 0,
        state: RUNNING.to_owned(),
        is_stale: false,
    };
    diesel::insert_into(segment_passes::table).values(&row).execute(connection)?;
    let before: Vec<String> = segment_sizes::table
        .filter(segment_sizes::pass.nullable().eq(row.base))
        .select(segment_sizes::segment)
        .load(connection)?;
    let sizes: Vec<NewSize> = segments
        .iter()
        .map(|segment| {
            let is_as_before = base.is_some_and(|base| {
                segment.changed_at.is_none_or(|at| at <= base.began_at.into())
                    && before.iter().any(|name| name == segment.name.as_str())
            });
            let none = is_as_before.then_some(0);
            NewSize {
                segment: segment.name.to_string(),
                pass: row.pass,
                users: 0,
                joined_users: none,
                left_users: none,
            }
        })
        .collect();
    either!(connection => {
        diesel::insert_into(segment_sizes::table).values(&sizes).execute(connection)?
    });
    Ok(row.into())
}

/// Completes a pass, which replaces another one of its day. Runs in the transaction of its last part.
pub(super) fn complete(
    connection: &mut AnyConnection,
    pass: &SegmentPass,
    counts: &BTreeMap<String, [u64; 3]>,
) -> Result<(), Failure> {
    let evaluated: Vec<&String> = counts.keys().collect();
    diesel::delete(segment_sizes::table)
        .filter(segment_sizes::pass.eq(pass.number))
        .filter(segment_sizes::segment.ne_all(evaluated))
        .execute(connection)?;
    let others: Vec<i64> = segment_passes::table
        .filter(segment_passes::day.eq(pass.day))
        .filter(segment_passes::state.eq_any([DONE, COUNTED]))
        .select(segment_passes::pass)
        .load(connection)?;
    for other in others {
        diesel::delete(segment_sizes::table)
            .filter(segment_sizes::pass.eq(other))
            .execute(connection)?;
        diesel::update(segment_passes::table.find(other))
            .set(segment_passes::state.eq(DROPPED))
            .execute(connection)?;
    }
    diesel::update(segment_passes::table.find(pass.number))
        .set(segment_passes::state.eq(DONE))
        .execute(connection)?;
    Ok(())
}
