//! Counting all saved segments once a day, and what those counts say.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Days, TimeDelta, Utc};
use rollcall_domain::{
    Clock, Filter, LabelName, Segment, SegmentSize, Selection, TelegramId, error_chain,
};
use rollcall_repository::{
    BeginPass, LatestPasses, SegmentPass, SegmentPassRepository, SegmentRepository, SegmentUsers,
    SelectedSegments,
};

use crate::ServiceError;

/// How many users are evaluated at once. Memory holds about three megabytes for them, with 200 segments.
const USERS_AT_ONCE: u32 = 20_000;
/// A pass without a step for so long was interrupted.
const IDLE: TimeDelta = TimeDelta::minutes(2);
/// How many parts are forgotten at once: few, because on SQLite no user can be registered meanwhile.
const FORGOTTEN_AT_ONCE: u32 = 2;

/// Counts saved segments, and shows their history. Cheap to clone.
#[derive(Clone)]
pub struct SegmentService {
    segments: Arc<dyn SegmentRepository>,
    passes: Arc<dyn SegmentPassRepository>,
    clock: Arc<dyn Clock>,
}

/// A segment with its size at the latest count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedSegment {
    /// The segment.
    pub segment: Segment,
    /// Its size at the latest count; `None` if it was not saved then.
    pub size: Option<SegmentSize>,
    /// How many users it had a week before that count, if it was counted that day with this filter.
    pub week_before: Option<u64>,
}

impl CountedSegment {
    /// How its size has changed within the week before the latest count, if that is known.
    pub fn change(&self) -> Option<i64> {
        let now = i64::try_from(self.size?.users).ok()?;
        let before = i64::try_from(self.week_before?).ok()?;
        Some(now - before)
    }
}

impl SegmentService {
    /// Creates a service over `storage`.
    pub fn new(
        storage: impl SegmentRepository + SegmentPassRepository + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        let storage = Arc::new(storage);
        Self { segments: storage.clone(), passes: storage, clock: Arc::new(clock) }
    }

    /// Counts all segments, unless that was done today (UTC) or another process is doing it. Goes on
    /// with a count of today that was interrupted. Returns the count if this call has completed it.
    ///
    /// # Errors
    /// If the storage fails. The next call goes on.
    pub async fn count_daily(&self) -> Result<Option<SegmentPass>, ServiceError> {
        let now = self.clock.now();
        let begin =
            BeginPass { day: now.date_naive(), at: now, idle_since: now - IDLE, again: false };
        self.count(begin, &|_| {}).await
    }

    /// Counts all segments now, which replaces an earlier count of today. Goes on with a count of today
    /// that was interrupted. `progress` receives the pass after each part. `None` if there are no
    /// segments.
    ///
    /// # Errors
    /// If the storage fails. The next call goes on.
    pub async fn count_now(
        &self,
        progress: &(dyn Fn(&SegmentPass) + Send + Sync),
    ) -> Result<Option<SegmentPass>, ServiceError> {
        let now = self.clock.now();
        let begin = BeginPass {
            day: now.date_naive(),
            at: now,
            idle_since: DateTime::<Utc>::MAX_UTC,
            again: true,
        };
        self.count(begin, progress).await
    }

    /// Counts all segments as of a moment. It is meant for made-up data.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn count_as_of(&self, at: DateTime<Utc>) -> Result<(), ServiceError> {
        let begin = BeginPass { day: at.date_naive(), at, idle_since: at, again: true };
        self.count(begin, &|_| {}).await?;
        Ok(())
    }

    async fn count(
        &self,
        begin: BeginPass,
        progress: &(dyn Fn(&SegmentPass) + Send + Sync),
    ) -> Result<Option<SegmentPass>, ServiceError> {
        let Some((mut pass, segments)) = self.passes.begin_segment_pass(begin).await? else {
            return Ok(None);
        };
        let selected = Arc::new(selected(&segments, pass.began_at));
        loop {
            let now = self.clock.now();
            let part =
                self.passes.continue_segment_pass(&pass, selected.clone(), USERS_AT_ONCE, now);
            match part.await? {
                // Another process has dropped it, because the segments were changed.
                None => return Ok(None),
                Some(next) => pass = next,
            }
            progress(&pass);
            if pass.is_complete {
                return Ok(Some(pass));
            }
        }
    }

    /// The latest complete count, and the one that runs.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn counts(&self) -> Result<LatestPasses, ServiceError> {
        Ok(self.passes.segment_passes().await?)
    }

    /// All segments by name, with their sizes at the latest count.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn list(&self) -> Result<Vec<CountedSegment>, ServiceError> {
        let segments = self.segments.segments().await?;
        let latest = self.passes.segment_passes().await?.complete;
        let (mut sizes, mut before) = (BTreeMap::new(), BTreeMap::new());
        let mut compared = None;
        if let Some(pass) = latest {
            sizes.extend(self.passes.segment_sizes_on(pass.day).await?);
            let week_before = pass.day.checked_sub_days(Days::new(7)).unwrap_or_default();
            before.extend(self.passes.segment_sizes_on(week_before).await?);
            compared = Some(week_before);
        }
        let counted = |segment: Segment| CountedSegment {
            size: sizes.get(&segment.name).copied(),
            week_before: before
                .get(&segment.name)
                // The size of another filter is not compared.
                .filter(|_| segment.changed_at.map(|at| at.date_naive()) < compared)
                .map(|size| size.users),
            segment,
        };
        Ok(segments.into_iter().map(counted).collect())
    }

    /// The sizes of a segment within so many days before the latest count and on its day, oldest first.
    /// Days without a count are left out.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn sizes(
        &self,
        name: &LabelName,
        days: u64,
    ) -> Result<Vec<SegmentSize>, ServiceError> {
        let Some(pass) = self.passes.segment_passes().await?.complete else {
            return Ok(Vec::new());
        };
        let since = pass.day.checked_sub_days(Days::new(days)).unwrap_or_default();
        Ok(self.passes.segment_sizes(name, since).await?)
    }

    /// Users of a segment at the latest count: a sample of up to `sample`, and up to `changed` of those
    /// that joined and left it since the count before. `None` if it was not counted.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn users(
        &self,
        name: &LabelName,
        sample: u32,
        changed: u32,
    ) -> Result<Option<SegmentUsers>, ServiceError> {
        Ok(self.passes.segment_users(name, sample, changed).await?)
    }

    /// The segments that contain a user now. Ages are those of each segment's own time zone.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn of_user(&self, id: TelegramId) -> Result<Vec<LabelName>, ServiceError> {
        let segments = self.segments.segments().await?;
        if segments.is_empty() {
            return Ok(Vec::new());
        }
        let selected = selected(&segments, self.clock.now());
        Ok(self.passes.segments_of(id, Arc::new(selected)).await?)
    }

    /// Forgets some memberships that are no longer needed: those of the latest count and the one before
    /// stay. Returns whether there may be more.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn forget_old(&self) -> Result<bool, ServiceError> {
        Ok(self.passes.forget_segment_parts(FORGOTTEN_AT_ONCE).await?)
    }
}

/// What segments select at a moment. Those that they name are among them.
fn selected(segments: &[Segment], at: DateTime<Utc>) -> SelectedSegments {
    let filters: BTreeMap<LabelName, Filter> =
        segments.iter().map(|it| (it.name.clone(), it.filter.clone())).collect();
    let select = |segment: &Segment| {
        let selection = Selection::new(&segment.filter, &filters, segment.zone, at);
        // Saving refuses such segments.
        let selection = selection.map_err(|error| {
            let segment = segment.name.as_str();
            log::warn!(segment, error = error_chain(&error); "cannot count a segment");
        });
        Some((segment.name.clone(), selection.ok()?))
    };
    segments.iter().filter_map(select).collect()
}
