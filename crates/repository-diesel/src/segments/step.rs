//! The next part of a pass: evaluating it, comparing it with the pass before, and storing it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{Selection, TelegramId};
use rollcall_repository::{SegmentPass, SelectedSegments};

use super::{
    begin::complete,
    encoding::{decode_ids, decode_members, encode_ids, encode_members},
    row::{DROPPED, PassRow, RUNNING},
};
use crate::{
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::{segment_members, segment_parts, segment_passes, segment_sizes},
        statement::statement,
        timestamp::UtcMicros,
    },
    directory::members::{Members, Range, bits::Bits, members},
};

statement! {
    /// Adds to the sizes of segments: a list of name, users, joined and left.
    struct AddSizes<'a> {
        pass: i64 as BigInt,
        counts: &'a str as Text,
    }
    Sqlite => "
        UPDATE segment_sizes
        SET users = users + (added.value ->> 1),
            joined_users = joined_users + (added.value ->> 2),
            left_users = left_users + (added.value ->> 3)
        FROM json_each(:counts) AS added
        WHERE segment = (added.value ->> 0) AND pass = :pass",
    Pg => "
        UPDATE segment_sizes
        SET users = users + (added.value ->> 1)::bigint,
            joined_users = joined_users + (added.value ->> 2)::bigint,
            left_users = left_users + (added.value ->> 3)::bigint
        FROM jsonb_array_elements(:counts::jsonb) AS added
        WHERE segment = (added.value ->> 0) AND pass = :pass",
}

/// A row of `segment_members`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = segment_members, treat_none_as_default_value = false)]
pub(super) struct MembersRow {
    pub(super) pass: i64,
    pub(super) last_id: i64,
    pub(super) segment: String,
    pub(super) members: Vec<u8>,
    pub(super) joined: Option<Vec<u8>>,
    pub(super) left_it: Option<Vec<u8>>,
}

/// A part that was evaluated.
pub(super) struct Step {
    after: i64,
    end: i64,
    ids: Vec<i64>,
    rows: Vec<MembersRow>,
    /// How many users each segment has, and how many joined and left it.
    counts: BTreeMap<String, [u64; 3]>,
}

/// Evaluates the next part. Runs in a transaction that sees one moment.
pub(super) fn evaluate(
    connection: &mut AnyConnection,
    pass: &SegmentPass,
    segments: &SelectedSegments,
    most: u32,
) -> Result<Step, Failure> {
    let after = pass.last.map_or(0, TelegramId::get);
    let selections: Vec<Selection> = segments.iter().map(|(_, it)| it.clone()).collect();
    let before = base_parts(connection, pass, after)?;
    // No more than two parts of the pass before are read, also if most of their users are gone.
    let until = match before.as_slice() {
        [_, second] => second.last_id,
        _ => TelegramId::MAX.get(),
    };
    let range = Range { after, until, most: most.into() };
    let Members { ids, of, is_full } = members(connection, &selections, range)?;
    let end = ids.last().copied().filter(|_| is_full).unwrap_or(until);
    let mut changes = Changes { ids: &ids, of: &of, kept: BTreeMap::new(), left: BTreeMap::new() };
    let compared = compared(connection, pass)?;
    for part in &before {
        let rows: Vec<MembersRow> = segment_members::table
            .filter(segment_members::pass.eq(part.pass))
            .filter(segment_members::last_id.eq(part.last_id))
            .select(MembersRow::as_select())
            .load(connection)?;
        let place = |row: &MembersRow| {
            let is_compared = compared.contains(&row.segment);
            segments.iter().position(|(name, _)| is_compared && name.as_str() == row.segment)
        };
        let rows = rows.iter().filter_map(|row| Some((place(row)?, row)));
        changes.add(part, rows, after, end)?;
    }
    let mut step = Step { after, end, ids: Vec::new(), rows: Vec::new(), counts: BTreeMap::new() };
    for (place, ((name, _), members)) in segments.iter().zip(&of).enumerate() {
        let is_compared = compared.contains(&name.to_string());
        let joined = if is_compared { changes.joined(place) } else { Vec::new() };
        let left = changes.left.remove(&place).unwrap_or_default();
        let counts = [members.count(), joined.len(), left.len()];
        step.counts
            .insert(name.to_string(), counts.map(|count| u64::try_from(count).unwrap_or(u64::MAX)));
        if counts != [0; 3] {
            let some = |ids: Vec<i64>| (!ids.is_empty()).then(|| encode_ids(ids));
            step.rows.push(MembersRow {
                pass: pass.number,
                last_id: end,
                segment: name.to_string(),
                members: encode_members(members),
                joined: some(joined),
                left_it: some(left),
            });
        }
    }
    step.ids = ids;
    Ok(step)
}

/// Stores a part, unless another process has gone on with the pass. Runs in a transaction.
pub(super) fn store(
    connection: &mut AnyConnection,
    pass: &SegmentPass,
    step: &Step,
    at: DateTime<Utc>,
) -> Result<Option<SegmentPass>, Failure> {
    let users = i64::try_from(step.ids.len()).unwrap_or(i64::MAX);
    let place = segment_passes::table
        .filter(segment_passes::pass.eq(pass.number))
        .filter(segment_passes::last_id.eq(step.after))
        .filter(segment_passes::state.eq(RUNNING));
    let moved = diesel::update(place)
        .set((
            segment_passes::last_id.eq(step.end),
            segment_passes::users.eq(segment_passes::users + users),
            segment_passes::touched_at.eq(UtcMicros::from(at)),
        ))
        .execute(connection)?;
    if moved > 0 {
        let part = PartRow {
            pass: pass.number,
            last_id: step.end,
            ids: encode_ids(step.ids.iter().copied()),
        };
        diesel::insert_into(segment_parts::table).values(&part).execute(connection)?;
        either!(connection => {
            diesel::insert_into(segment_members::table).values(&step.rows).execute(connection)?
        });
        let counts = step.counts.iter();
        let counts: Vec<_> =
            counts.map(|(name, [users, joined, left])| (name, users, joined, left)).collect();
        let counts = &serde_json::json!(counts).to_string();
        let add = || AddSizes { pass: pass.number, counts };
        either!(connection => add().execute(connection)?);
        if step.end == TelegramId::MAX.get() {
            complete(connection, pass, &step.counts)?;
        }
    }
    let stored: Option<PassRow> = segment_passes::table
        .find(pass.number)
        .filter(segment_passes::state.ne(DROPPED))
        .select(PassRow::as_select())
        .first(connection)
        .optional()?;
    Ok(stored.map(Into::into))
}

/// A row of `segment_parts`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = segment_parts)]
pub(super) struct PartRow {
    pub(super) pass: i64,
    pub(super) last_id: i64,
    pub(super) ids: Vec<u8>,
}

impl PartRow {
    pub(super) fn decoded(&self) -> Result<Vec<i64>, Failure> {
        decode_ids(&self.ids).ok_or_else(|| Failure::Corrupt {
            table: "segment_parts",
            column: "ids",
            key: format!("{} {}", self.pass, self.last_id),
            reason: "not a list of ids".to_owned(),
        })
    }
}

impl MembersRow {
    pub(super) fn decoded(&self, users: usize) -> Result<Bits, Failure> {
        decode_members(&self.members, users).ok_or_else(|| Failure::Corrupt {
            table: "segment_members",
            column: "members",
            key: format!("{} {} {}", self.pass, self.last_id, self.segment),
            reason: "not a set of places".to_owned(),
        })
    }
}

/// The next two parts of the pass before.
fn base_parts(
    connection: &mut AnyConnection,
    pass: &SegmentPass,
    after: i64,
) -> QueryResult<Vec<PartRow>> {
    let Some(base) = pass.base else { return Ok(Vec::new()) };
    segment_parts::table
        .filter(segment_parts::pass.eq(base))
        .filter(segment_parts::last_id.gt(after))
        .order(segment_parts::last_id)
        .limit(2)
        .select(PartRow::as_select())
        .load(connection)
}

/// The segments that the pass before had with the same filter.
fn compared(connection: &mut AnyConnection, pass: &SegmentPass) -> QueryResult<Vec<String>> {
    segment_sizes::table
        .filter(segment_sizes::pass.eq(pass.number))
        .filter(segment_sizes::joined_users.is_not_null())
        .select(segment_sizes::segment)
        .load(connection)
}

/// What changed since the pass before, by the places of the segments.
struct Changes<'a> {
    ids: &'a [i64],
    of: &'a [Bits],
    kept: BTreeMap<usize, Bits>,
    left: BTreeMap<usize, Vec<i64>>,
}

impl Changes<'_> {
    /// Compares with a part of the pass before.
    fn add<'r>(
        &mut self,
        part: &PartRow,
        rows: impl Iterator<Item = (usize, &'r MembersRow)>,
        after: i64,
        end: i64,
    ) -> Result<(), Failure> {
        let before = part.decoded()?;
        let mut now = self.ids.iter().enumerate().peekable();
        // Where each of its users is now; the places of those beyond the range are not needed.
        let places: Vec<Option<(i64, Option<usize>)>> = before
            .iter()
            .map(|id| {
                if *id <= after || *id > end {
                    return None;
                }
                while now.next_if(|(_, other)| **other < *id).is_some() {}
                let place = now.peek().filter(|(_, other)| **other == *id).map(|(place, _)| *place);
                Some((*id, place))
            })
            .collect();
        for (segment, row) in rows {
            let Some(members) = self.of.get(segment) else { continue };
            let none = || Bits::none(members.places());
            for old in row.decoded(before.len())?.iter() {
                match places.get(old).copied().flatten() {
                    None => {}
                    Some((_, Some(place))) if members.has(place) => {
                        self.kept.entry(segment).or_insert_with(none).add(place);
                    }
                    Some((id, _)) => self.left.entry(segment).or_default().push(id),
                }
            }
        }
        Ok(())
    }

    /// The users that are in a segment and were not before.
    fn joined(&self, segment: usize) -> Vec<i64> {
        let Some(members) = self.of.get(segment).cloned() else { return Vec::new() };
        let joined = match self.kept.get(&segment) {
            Some(kept) => members.and(&kept.clone().inverted()),
            None => members,
        };
        joined.iter().filter_map(|place| self.ids.get(place).copied()).collect()
    }
}
