//! Sizes of past days, which no pass has counted.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};
use diesel::prelude::*;
use rollcall_domain::{LabelName, SegmentSize};

use super::row::{COUNTED, DONE, PassRow, next_number};
use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::{segment_passes, segment_sizes},
    timestamp::UtcMicros,
};

/// See [`DemoRepository::load_segment_sizes`](rollcall_repository::DemoRepository::load_segment_sizes).
/// Runs in a transaction.
pub(crate) fn load(
    connection: &mut AnyConnection,
    sizes: &[(LabelName, SegmentSize)],
) -> Result<(), Failure> {
    let days: BTreeSet<NaiveDate> = sizes.iter().map(|(_, size)| size.day).collect();
    for day in days {
        let pass = pass_of(connection, day)?;
        for (name, size) in sizes.iter().filter(|(_, size)| size.day == day) {
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            diesel::delete(segment_sizes::table.find((name.as_str(), pass))).execute(connection)?;
            diesel::insert_into(segment_sizes::table)
                .values((
                    segment_sizes::segment.eq(name.as_str()),
                    segment_sizes::pass.eq(pass),
                    segment_sizes::users.eq(number(size.users)),
                    segment_sizes::joined_users.eq(size.changes.map(|it| number(it.joined))),
                    segment_sizes::left_users.eq(size.changes.map(|it| number(it.left))),
                ))
                .execute(connection)?;
        }
    }
    Ok(())
}

/// The complete pass of a day, which may be a new one.
fn pass_of(connection: &mut AnyConnection, day: NaiveDate) -> Result<i64, Failure> {
    let known = segment_passes::table
        .filter(segment_passes::day.eq(day))
        .filter(segment_passes::state.eq_any([DONE, COUNTED]))
        .select(segment_passes::pass)
        .first(connection)
        .optional()?;
    if let Some(pass) = known {
        return Ok(pass);
    }
    let pass = next_number(connection)?;
    let at = UtcMicros::from(day.and_time(NaiveTime::MIN).and_utc());
    let row = PassRow {
        pass,
        day,
        began_at: at,
        touched_at: at,
        base: None,
        users: 0,
        last_id: 0,
        state: COUNTED.to_owned(),
        is_stale: false,
    };
    diesel::insert_into(segment_passes::table).values(&row).execute(connection)?;
    Ok(pass)
}
