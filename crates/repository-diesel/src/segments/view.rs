//! Reading the sizes and users of segments.

use chrono::NaiveDate;
use diesel::prelude::*;
use rollcall_domain::{LabelName, SegmentChanges, SegmentSize, TelegramUser};
use rollcall_repository::{LatestPasses, SegmentUsers};

use super::{
    encoding::decode_ids,
    row::{COUNTED, DONE, RUNNING, latest, passes},
    step::{MembersRow, PartRow},
};
use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{segment_members, segment_parts, segment_passes, segment_sizes, telegram_users},
    },
    row::columns::UserRow,
};

/// How many parts a sample is taken from.
const SAMPLED_PARTS: usize = 20;

/// See [`SegmentPassRepository::segment_passes`](rollcall_repository::SegmentPassRepository::segment_passes).
pub(super) fn latest_passes(connection: &mut AnyConnection) -> Result<LatestPasses, Failure> {
    Ok(LatestPasses {
        complete: latest(connection)?.map(Into::into),
        running: passes(connection, &[RUNNING])?.into_iter().next().map(Into::into),
    })
}

type SizeRow = (String, NaiveDate, i64, Option<i64>, Option<i64>);

fn size((_, day, users, joined, left): &SizeRow) -> SegmentSize {
    let number = |number: i64| number.try_into().unwrap_or_default();
    let changes = joined
        .zip(*left)
        .map(|(joined, left)| SegmentChanges { joined: number(joined), left: number(left) });
    SegmentSize { day: *day, users: number(*users), changes }
}

macro_rules! sizes {
    () => {
        segment_sizes::table
            .inner_join(segment_passes::table.on(segment_passes::pass.eq(segment_sizes::pass)))
            .filter(segment_passes::state.eq_any([DONE, COUNTED]))
            .select((
                segment_sizes::segment,
                segment_passes::day,
                segment_sizes::users,
                segment_sizes::joined_users,
                segment_sizes::left_users,
            ))
    };
}

/// See [`SegmentPassRepository::segment_sizes`](rollcall_repository::SegmentPassRepository::segment_sizes).
pub(super) fn sizes_since(
    connection: &mut AnyConnection,
    name: &str,
    since: NaiveDate,
) -> Result<Vec<SegmentSize>, Failure> {
    let rows: Vec<SizeRow> = sizes!()
        .filter(segment_sizes::segment.eq(name))
        .filter(segment_passes::day.ge(since))
        .order(segment_passes::day)
        .load(connection)?;
    Ok(rows.iter().map(size).collect())
}

/// See [`SegmentPassRepository::segment_sizes_on`](rollcall_repository::SegmentPassRepository::segment_sizes_on).
pub(super) fn sizes_on(
    connection: &mut AnyConnection,
    day: NaiveDate,
) -> Result<Vec<(LabelName, SegmentSize)>, Failure> {
    let rows: Vec<SizeRow> = sizes!().filter(segment_passes::day.eq(day)).load(connection)?;
    rows.iter()
        .map(|row| {
            let corrupt = |error| Failure::Corrupt {
                table: "segment_sizes",
                column: "segment",
                key: row.0.clone(),
                reason: format!("{error}"),
            };
            Ok((row.0.parse().map_err(corrupt)?, size(row)))
        })
        .collect()
}

/// See [`SegmentPassRepository::segment_users`](rollcall_repository::SegmentPassRepository::segment_users).
pub(super) fn users(
    connection: &mut AnyConnection,
    name: &str,
    most: usize,
    changed: usize,
) -> Result<Option<SegmentUsers>, Failure> {
    let Some(pass) = latest(connection)?.map(|row| row.pass) else { return Ok(None) };
    let size: Option<i64> = segment_sizes::table
        .find((name, pass))
        .select(segment_sizes::users)
        .first(connection)
        .optional()?;
    let Some(size) = size else { return Ok(None) };
    let is_small = usize::try_from(size).is_ok_and(|size| size <= most);
    let sample = sample(connection, pass, name, most, is_small)?;
    let joined = changed_ids(connection, pass, name, changed, |row| row.joined)?;
    let left = changed_ids(connection, pass, name, changed, |row| row.left_it)?;
    Ok(Some(SegmentUsers {
        sample: existing(connection, &sample)?,
        joined: existing(connection, &joined)?,
        left: existing(connection, &left)?,
    }))
}

/// Ids of a segment: all, or some from parts that are spread over all.
fn sample(
    connection: &mut AnyConnection,
    pass: i64,
    name: &str,
    most: usize,
    is_small: bool,
) -> Result<Vec<i64>, Failure> {
    let parts: Vec<i64> = segment_members::table
        .filter(segment_members::pass.eq(pass))
        .filter(segment_members::segment.eq(name))
        .order(segment_members::last_id)
        .select(segment_members::last_id)
        .load(connection)?;
    let taken = if is_small { parts.len() } else { parts.len().min(SAMPLED_PARTS) };
    let mut ids = Vec::new();
    for number in 0..taken {
        let Some(last_id) = parts.get(number * parts.len() / taken) else { continue };
        let part: PartRow = segment_parts::table
            .find((pass, last_id))
            .select(PartRow::as_select())
            .first(connection)?;
        let row: MembersRow = segment_members::table
            .find((pass, last_id, name))
            .select(MembersRow::as_select())
            .first(connection)?;
        let users = part.decoded()?;
        let members: Vec<i64> = row
            .decoded(users.len())?
            .iter()
            .filter_map(|place| users.get(place).copied())
            .collect();
        let wanted = if is_small { members.len() } else { most.div_ceil(taken).min(members.len()) };
        let spread = (0..wanted).filter_map(|place| members.get(place * members.len() / wanted));
        ids.extend(spread.copied());
    }
    ids.truncate(most);
    Ok(ids)
}

/// The first ids that joined or left a segment.
fn changed_ids(
    connection: &mut AnyConnection,
    pass: i64,
    name: &str,
    most: usize,
    of: impl Fn(MembersRow) -> Option<Vec<u8>>,
) -> Result<Vec<i64>, Failure> {
    let (mut ids, mut after) = (Vec::new(), 0);
    while ids.len() < most {
        let row: Option<MembersRow> = segment_members::table
            .filter(segment_members::pass.eq(pass))
            .filter(segment_members::segment.eq(name))
            .filter(segment_members::last_id.gt(after))
            .filter(
                segment_members::joined.is_not_null().or(segment_members::left_it.is_not_null()),
            )
            .order(segment_members::last_id)
            .select(MembersRow::as_select())
            .first(connection)
            .optional()?;
        let Some(row) = row else { break };
        after = row.last_id;
        let key = format!("{pass} {after} {name}");
        if let Some(bytes) = of(row) {
            let corrupt = || Failure::Corrupt {
                table: "segment_members",
                column: "joined or left_it",
                key,
                reason: "not a list of ids".to_owned(),
            };
            ids.extend(decode_ids(&bytes).ok_or_else(corrupt)?);
        }
    }
    ids.truncate(most);
    Ok(ids)
}

/// The users of some ids that still exist, by id.
fn existing(connection: &mut AnyConnection, ids: &[i64]) -> Result<Vec<TelegramUser>, Failure> {
    let rows: Vec<UserRow> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(ids))
        .order(telegram_users::telegram_id)
        .select(UserRow::as_select())
        .load(connection)?;
    rows.into_iter().map(UserRow::into_user).collect()
}
