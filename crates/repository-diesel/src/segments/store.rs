use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::Connection;
use rollcall_domain::{LabelName, Segment, SegmentSize, Selection, TelegramId};
use rollcall_repository::{
    BeginPass, DeletedSegment, LatestPasses, RepositoryError, SavedSegment, SegmentCheck,
    SegmentPass, SegmentPassRepository, SegmentRepository, SegmentUsers, SelectedSegments,
};

use super::{begin, forget, segment, step, view};
use crate::{
    base::snapshot::at_one_moment,
    directory::members::{Members, Range, members},
    users::store::DieselUserRepository,
};

#[async_trait]
impl SegmentRepository for DieselUserRepository {
    async fn segments(&self) -> Result<Vec<Segment>, RepositoryError> {
        self.database.read("list segments", segment::all).await
    }

    async fn save_segment(
        &self,
        segment: &Segment,
        is_allowed: SegmentCheck,
    ) -> Result<SavedSegment, RepositoryError> {
        let saved = segment.clone();
        self.database
            .write("save a segment", move |connection| {
                connection.transaction(|connection| segment::save(connection, &saved, &is_allowed))
            })
            .await
    }

    async fn delete_segment(&self, name: &LabelName) -> Result<DeletedSegment, RepositoryError> {
        let name = name.clone();
        self.database
            .write("delete a segment", move |connection| {
                connection.transaction(|connection| segment::delete(connection, &name))
            })
            .await
    }
}

#[async_trait]
impl SegmentPassRepository for DieselUserRepository {
    async fn begin_segment_pass(
        &self,
        begin: BeginPass,
    ) -> Result<Option<(SegmentPass, Vec<Segment>)>, RepositoryError> {
        // Read first: usually the day is counted already, and reading waits for no writer.
        let may_begin = self.database.read("look for segments to count", move |connection| {
            begin::may_begin(connection, &begin)
        });
        if !may_begin.await? {
            return Ok(None);
        }
        self.database
            .write("begin to count segments", move |connection| {
                connection.transaction(|connection| begin::begin(connection, &begin))
            })
            .await
    }

    async fn continue_segment_pass(
        &self,
        pass: &SegmentPass,
        segments: Arc<SelectedSegments>,
        most: u32,
        at: DateTime<Utc>,
    ) -> Result<Option<SegmentPass>, RepositoryError> {
        let pass = *pass;
        // Read first: reading takes most of the time, and delays no writer.
        let step = self
            .database
            .run_long_read(move |connection| {
                at_one_moment(connection, |connection| {
                    step::evaluate(connection, &pass, &segments, most)
                })
            })
            .await?;
        self.database
            .write("store a part of the segments", move |connection| {
                connection.transaction(|connection| step::store(connection, &pass, &step, at))
            })
            .await
    }

    async fn segment_passes(&self) -> Result<LatestPasses, RepositoryError> {
        self.database.view("read when segments were counted", view::latest_passes).await
    }

    async fn segment_sizes(
        &self,
        name: &LabelName,
        since: NaiveDate,
    ) -> Result<Vec<SegmentSize>, RepositoryError> {
        let name = name.clone();
        self.database
            .view("read the sizes of a segment", move |connection| {
                view::sizes_since(connection, name.as_str(), since)
            })
            .await
    }

    async fn segment_sizes_on(
        &self,
        day: NaiveDate,
    ) -> Result<Vec<(LabelName, SegmentSize)>, RepositoryError> {
        self.database
            .view("read the sizes of segments", move |connection| view::sizes_on(connection, day))
            .await
    }

    async fn segment_users(
        &self,
        name: &LabelName,
        sample: u32,
        changed: u32,
    ) -> Result<Option<SegmentUsers>, RepositoryError> {
        let name = name.clone();
        let most = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let (sample, changed) = (most(sample), most(changed));
        self.database
            .view("read the users of a segment", move |connection| {
                at_one_moment(connection, |connection| {
                    view::users(connection, name.as_str(), sample, changed)
                })
            })
            .await
    }

    async fn segments_of(
        &self,
        id: TelegramId,
        segments: Arc<SelectedSegments>,
    ) -> Result<Vec<LabelName>, RepositoryError> {
        self.database
            .read("read the segments of a user", move |connection| {
                let selections: Vec<Selection> =
                    segments.iter().map(|(_, selection)| selection.clone()).collect();
                let id = id.get();
                let range = Range { after: id - 1, until: id, most: 1 };
                let Members { ids, of, .. } = at_one_moment(connection, |connection| {
                    members(connection, &selections, range)
                })?;
                let is_member =
                    |place: usize| !ids.is_empty() && of.get(place).is_some_and(|it| it.has(0));
                let names = segments.iter().enumerate().filter(|(place, _)| is_member(*place));
                Ok(names.map(|(_, (name, _))| name.clone()).collect())
            })
            .await
    }

    async fn forget_segment_parts(&self, most: u32) -> Result<bool, RepositoryError> {
        // Read first: usually there is nothing to do, and reading waits for no writer.
        let any = self
            .database
            .read("look for old parts of segments", |connection| Ok(forget::any(connection)?));
        if !any.await? {
            return Ok(false);
        }
        self.database
            .write("forget old parts of segments", move |connection| {
                connection.transaction(|connection| forget::forget(connection, most.into()))
            })
            .await
    }
}
