//! Saved segments; see [`SegmentRepository`](rollcall_repository::SegmentRepository).

use async_trait::async_trait;
use diesel::{connection::SimpleConnection, prelude::*};
use rollcall_domain::{LabelName, Segment};
use rollcall_repository::{
    DeletedSegment, RepositoryError, SavedSegment, SegmentCheck, SegmentRepository,
};

use crate::{
    base::{connection::AnyConnection, error::Failure, schema::segments, timestamp::UtcMicros},
    users::store::DieselUserRepository,
};

#[async_trait]
impl SegmentRepository for DieselUserRepository {
    async fn segments(&self) -> Result<Vec<Segment>, RepositoryError> {
        self.database.read("list segments", all).await
    }

    async fn save_segment(
        &self,
        segment: &Segment,
        is_allowed: SegmentCheck,
    ) -> Result<SavedSegment, RepositoryError> {
        let segment = segment.clone();
        self.database
            .write("save a segment", move |connection| {
                connection.transaction(|connection| save(connection, &segment, &is_allowed))
            })
            .await
    }

    async fn delete_segment(&self, name: &LabelName) -> Result<DeletedSegment, RepositoryError> {
        let name = name.clone();
        self.database
            .write("delete a segment", move |connection| {
                connection.transaction(|connection| delete(connection, &name))
            })
            .await
    }
}

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

fn save(
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
    let created_at = old.as_ref().map_or(segment.created_at, |old| old.created_at);
    let row = SegmentRow {
        name: segment.name.to_string(),
        filter: segment.filter.to_string(),
        description: segment.description.clone(),
        created_at: created_at.into(),
    };
    diesel::delete(segments::table.find(&row.name)).execute(connection)?;
    diesel::insert_into(segments::table).values(&row).execute(connection)?;
    Ok(SavedSegment::Saved(old.map(Box::new)))
}

fn delete(connection: &mut AnyConnection, name: &LabelName) -> Result<DeletedSegment, Failure> {
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
    Ok(DeletedSegment::Deleted(Box::new(segment)))
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = segments)]
struct SegmentRow {
    name: String,
    filter: String,
    description: String,
    created_at: UtcMicros,
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
        })
    }
}
