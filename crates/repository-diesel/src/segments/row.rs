//! Rows of `segment_passes`.

use chrono::NaiveDate;
use diesel::prelude::*;
use rollcall_domain::TelegramId;
use rollcall_repository::SegmentPass;

use crate::base::{connection::AnyConnection, schema::segment_passes, timestamp::UtcMicros};

/// The pass has users to look at.
pub(super) const RUNNING: &str = "running";
/// The pass is complete, and its memberships are kept.
pub(super) const DONE: &str = "done";
/// The pass is complete, and only its sizes are kept.
pub(super) const COUNTED: &str = "counted";
/// The pass was given up, or the same day was counted again.
pub(super) const DROPPED: &str = "dropped";

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = segment_passes)]
pub(super) struct PassRow {
    pub(super) pass: i64,
    pub(super) day: NaiveDate,
    pub(super) began_at: UtcMicros,
    pub(super) touched_at: UtcMicros,
    pub(super) base: Option<i64>,
    pub(super) users: i64,
    pub(super) last_id: i64,
    pub(super) state: String,
    pub(super) is_stale: bool,
}

impl From<PassRow> for SegmentPass {
    fn from(row: PassRow) -> Self {
        Self {
            number: row.pass,
            day: row.day,
            began_at: row.began_at.into(),
            base: row.base,
            users: row.users.try_into().unwrap_or_default(),
            last: TelegramId::try_from(row.last_id).ok(),
            is_complete: row.state == DONE || row.state == COUNTED,
        }
    }
}

/// The passes of some states, newest first.
pub(super) fn passes(connection: &mut AnyConnection, states: &[&str]) -> QueryResult<Vec<PassRow>> {
    segment_passes::table
        .filter(segment_passes::state.eq_any(states))
        .order(segment_passes::pass.desc())
        .select(PassRow::as_select())
        .load(connection)
}

/// The number of the next pass.
pub(super) fn next_number(connection: &mut AnyConnection) -> QueryResult<i64> {
    let newest: Option<i64> =
        segment_passes::table.select(diesel::dsl::max(segment_passes::pass)).first(connection)?;
    Ok(newest.unwrap_or_default() + 1)
}

/// The latest complete pass whose memberships are kept: of the latest day.
pub(super) fn latest(connection: &mut AnyConnection) -> QueryResult<Option<PassRow>> {
    Ok(passes(connection, &[DONE])?.into_iter().max_by_key(|row| (row.day, row.pass)))
}
