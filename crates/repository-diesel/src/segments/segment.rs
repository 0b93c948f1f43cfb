//! Saving, listing and deleting segments.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use diesel::{connection::SimpleConnection, prelude::*};
use rollcall_domain::{LabelName, Segment};
use rollcall_repository::{DeletedSegment, SavedSegment, SegmentCheck};

use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::{segment_passes, segment_sizes, segments},
    timestamp::UtcMicros,
};

/// All segments, by name.
pub(crate) fn all(connection: &mut AnyConnection) -> Result<Vec<Segment>, Failure> {
    let rows: Vec<SegmentRow> = segments::table.select(SegmentRow::as_select()).load(connection)?;
    let mut all: Vec<Segment> =
        rows.into_iter().map(SegmentRow::into_segment).collect::<Result<_, _>>()?;
    // Not by SQL, where the order depends on the database's collation.
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Keeps others from changing segments until the transaction ends.
pub(crate) fn lock(connection: &mut AnyConnection) -> Result<(), Failure> {
    let lock = match connection {
        // A transaction that begins with a statement that may write waits for other writers.
        AnyConnection::Sqlite(_) => "DELETE FROM segments WHERE FALSE",
        AnyConnection::Postgres(_) => "LOCK TABLE segments IN SHARE ROW EXCLUSIVE MODE",
    };
    Ok(connection.batch_execute(lock)?)
}

pub(super) fn save(
    connection: &mut AnyConnection,
    segment: &Segment,
    is_allowed: &SegmentCheck,
) -> Result<SavedSegment, Failure> {
    lock(connection)?;
    let (same, others): (Vec<Segment>, Vec<Segment>) =
        all(connection)?.into_iter().partition(|it| it.name == segment.name);
    if let Err(reason) = is_allowed(&others) {
        return Ok(SavedSegment::Refused(reason));
    }
    let old = same.into_iter().next();
    let mut row = SegmentRow {
        name: segment.name.to_string(),
        filter: segment.filter.to_string(),
        description: segment.description.clone(),
        created_at: segment.created_at.into(),
        zone: segment.zone.name().to_owned(),
        changed_at: None,
    };
    if let Some(old) = &old {
        row.created_at = old.created_at.into();
        row.changed_at = old.changed_at.map(Into::into);
        if (&old.filter, old.zone) != (&segment.filter, segment.zone) {
            let at = UtcMicros::from(segment.created_at);
            row.changed_at = Some(at);
            let users = users(&segment.name, &others);
            let users = segments::table.filter(segments::name.eq_any(users));
            diesel::update(users).set(segments::changed_at.eq(at)).execute(connection)?;
            let running =
                segment_passes::table.filter(segment_passes::state.eq(super::row::RUNNING));
            diesel::update(running).set(segment_passes::is_stale.eq(true)).execute(connection)?;
        }
    }
    diesel::delete(segments::table.find(&row.name)).execute(connection)?;
    diesel::insert_into(segments::table).values(&row).execute(connection)?;
    Ok(SavedSegment::Saved(old.map(Box::new)))
}

/// The segments that use one, also through others.
fn users<'a>(name: &'a LabelName, others: &'a [Segment]) -> BTreeSet<&'a str> {
    let mut users = BTreeSet::new();
    let mut left = vec![name];
    while let Some(used) = left.pop() {
        for user in others.iter().filter(|it| it.uses().any(|name| name == used)) {
            if users.insert(user.name.as_str()) {
                left.push(&user.name);
            }
        }
    }
    users
}

pub(super) fn delete(
    connection: &mut AnyConnection,
    name: &LabelName,
) -> Result<DeletedSegment, Failure> {
    lock(connection)?;
    let all = all(connection)?;
    let users: Vec<LabelName> = all
        .iter()
        .filter(|it| it.name != *name && it.uses().any(|used| used == name))
        .map(|it| it.name.clone())
        .collect();
    if !users.is_empty() {
        return Ok(DeletedSegment::Used(users));
    }
    let Some(segment) = all.into_iter().find(|it| it.name == *name) else {
        return Ok(DeletedSegment::Unknown);
    };
    diesel::delete(segments::table.find(name.as_str())).execute(connection)?;
    diesel::delete(segment_sizes::table)
        .filter(segment_sizes::segment.eq(name.as_str()))
        .execute(connection)?;
    Ok(DeletedSegment::Deleted(Box::new(segment)))
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = segments, treat_none_as_default_value = false)]
struct SegmentRow {
    name: String,
    filter: String,
    description: String,
    created_at: UtcMicros,
    zone: String,
    changed_at: Option<UtcMicros>,
}

impl SegmentRow {
    fn into_segment(self) -> Result<Segment, Failure> {
        let corrupt = |column, reason: String| Failure::Corrupt {
            table: "segments",
            column,
            key: self.name.clone(),
            reason,
        };
        Ok(Segment {
            name: self.name.parse().map_err(|error| corrupt("name", format!("{error}")))?,
            filter: self.filter.parse().map_err(|error| corrupt("filter", format!("{error}")))?,
            description: self.description,
            created_at: self.created_at.into(),
            // A zone that this version does not know, from a newer one.
            zone: self.zone.parse().unwrap_or(Tz::UTC),
            changed_at: self.changed_at.map(Into::into),
        })
    }
}
