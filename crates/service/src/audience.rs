//! The users that a filter selects: lists, exact counts, and saved segments.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    Clock, Cursor, Filter, FilterNode, LabelKind, LabelName, MAX_DESCRIPTION_CHARS, MAX_SEGMENTS,
    Segment, Selection, SelectionError, TelegramId, Term, UserSlice, UserSort,
};
use rollcall_repository::{
    AudienceRepository, BroadcastRepository, CountProgress, DeletedSegment, DirectoryRepository,
    LabelRepository, MAX_PAGE_SIZE, MatchingUsers, SavedSegment, SegmentRepository,
};

use tokio::time::{Instant, timeout};

use crate::ServiceError;

/// Lists and counts the users that filters select, and keeps saved segments. Cheap to clone.
#[derive(Clone)]
pub struct AudienceService {
    directory: Arc<dyn DirectoryRepository>,
    audience: Arc<dyn AudienceRepository>,
    segments: Arc<dyn SegmentRepository>,
    labels: Arc<dyn LabelRepository>,
    broadcasts: Arc<dyn BroadcastRepository>,
    clock: Arc<dyn Clock>,
}

/// The name that the web admin has in place of a segment's, for the form of new ones.
const RESERVED: &str = "new";

/// Why users cannot be selected.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AudienceError {
    /// The filter cannot be evaluated.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The filter names a tag or a group that does not exist.
    #[error("there is no {} '{_1}'", _0.name())]
    UnknownLabel(LabelKind, LabelName),
    /// The filter names a category of broadcasts that does not exist.
    #[error("there is no category '{0}'")]
    UnknownCategory(LabelName),
    /// The filter names a broadcast that does not exist.
    #[error("there is no broadcast {0}")]
    UnknownBroadcast(i64),
    /// A segment was not saved or deleted, for this reason.
    #[error("{0}")]
    Refused(String),
    /// The service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl AudienceService {
    /// Creates a service over `storage`.
    pub fn new(
        storage: impl DirectoryRepository
        + AudienceRepository
        + SegmentRepository
        + LabelRepository
        + BroadcastRepository
        + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        Self::over(&Arc::new(storage), Arc::new(clock))
    }

    /// The same over a storage that other services share.
    pub(crate) fn over<S>(storage: &Arc<S>, clock: Arc<dyn Clock>) -> Self
    where
        S: DirectoryRepository
            + AudienceRepository
            + SegmentRepository
            + LabelRepository
            + BroadcastRepository
            + 'static,
    {
        Self {
            directory: storage.clone(),
            audience: storage.clone(),
            segments: storage.clone(),
            labels: storage.clone(),
            broadcasts: storage.clone(),
            clock,
        }
    }

    /// The users that a filter selects now, where days are those of `zone`.
    ///
    /// # Errors
    /// If a segment, tag, group or broadcast in it does not exist, if it is too large together with its
    /// segments, or if the storage fails.
    pub async fn selection(&self, filter: &Filter, zone: Tz) -> Result<Selection, AudienceError> {
        self.selection_at(filter, zone, self.clock.now()).await
    }

    /// The same, with ages that are counted back from `at`.
    ///
    /// # Errors
    /// As [`AudienceService::selection`].
    pub async fn selection_at(
        &self,
        filter: &Filter,
        zone: Tz,
        at: DateTime<Utc>,
    ) -> Result<Selection, AudienceError> {
        let names_segments = filter.terms().any(|term| matches!(term, Term::Segment(_)));
        let segments = if names_segments { self.filters().await? } else { BTreeMap::new() };
        let selection = Selection::new(filter, &segments, zone, at)?;
        self.check_labels(selection.node()).await?;
        self.check_broadcasts(selection.node()).await?;
        self.check_categories(selection.node()).await?;
        Ok(selection)
    }

    /// Returns up to `size` (at most 1,000) users of a selection, sorted by `sort`. The page begins
    /// at `cursor`, or at the start of the list. A cursor of another sort key is ignored.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn users(
        &self,
        selection: &Selection,
        sort: UserSort,
        cursor: Option<Cursor>,
        size: u32,
    ) -> Result<UserSlice, ServiceError> {
        let size = size.clamp(1, MAX_PAGE_SIZE);
        Ok(self.directory.select(selection, sort, cursor, size).await?)
    }

    /// Counts the users of a selection exactly, as they are at one moment. Reads the whole table, so
    /// that it takes about a second for ten million users. `progress` receives the users counted so
    /// far and the thousandths of the table that were read; the count ends with `None` when it
    /// returns false.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn count(
        &self,
        selection: &Selection,
        progress: Arc<CountProgress>,
    ) -> Result<Option<u64>, ServiceError> {
        Ok(self.audience.count(selection, progress).await?)
    }

    /// The same, unless that takes longer than `time`.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn count_within(
        &self,
        time: Duration,
        selection: &Selection,
    ) -> Result<Option<u64>, ServiceError> {
        let until = Instant::now() + time;
        let goes_on = Arc::new(move |_, _| Instant::now() < until);
        // One step of the count may take long by itself.
        timeout(time, self.count(selection, goes_on)).await.unwrap_or(Ok(None))
    }

    /// The users of a selection among the next `scan` users after the id `after`.
    ///
    /// # Errors
    /// If the storage fails.
    pub(crate) async fn matching(
        &self,
        selection: &Selection,
        after: Option<TelegramId>,
        scan: u32,
    ) -> Result<MatchingUsers, ServiceError> {
        Ok(self.audience.matching(selection, after, scan).await?)
    }

    /// The saved segments, by name.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn segments(&self) -> Result<Vec<Segment>, ServiceError> {
        Ok(self.segments.segments().await?)
    }

    /// Saves a filter under a name, or replaces the segment of this name. Where the segment is counted
    /// by itself, its days are those of `zone`. Returns what was there.
    ///
    /// # Errors
    /// If the name is `new`; if the filter uses a segment, tag or group that does not exist, or the
    /// segment itself; if it is too large together with its segments; if there are [`MAX_SEGMENTS`]
    /// others; if the description is longer than [`MAX_DESCRIPTION_CHARS`]; or if the storage fails.
    /// Nothing changes then.
    pub async fn save_segment(
        &self,
        name: LabelName,
        filter: Filter,
        zone: Tz,
        description: &str,
    ) -> Result<Option<Segment>, AudienceError> {
        let description = description.replace('\0', "").trim().to_owned();
        let chars = description.chars().count();
        if chars > MAX_DESCRIPTION_CHARS {
            let reason = format!(
                "expected a description of at most {MAX_DESCRIPTION_CHARS} characters; this has {chars}"
            );
            return Err(AudienceError::Refused(reason));
        }
        if name.as_str() == RESERVED {
            let reason = format!(
                "expected another name than '{RESERVED}', which is the page for new segments"
            );
            return Err(AudienceError::Refused(reason));
        }
        self.check_labels(filter.node()).await?;
        let created_at = self.clock.now();
        let segment = Segment { name, filter, description, created_at, zone, changed_at: None };
        let wanted = segment.clone();
        let is_allowed = move |others: &[Segment]| {
            if others.len() >= MAX_SEGMENTS {
                return Err(format!(
                    "there are {MAX_SEGMENTS} segments already, which is the most"
                ));
            }
            let all = others.iter().chain([&wanted]);
            let filters: BTreeMap<LabelName, Filter> =
                all.map(|it| (it.name.clone(), it.filter.clone())).collect();
            // Other segments may use this one.
            for name in filters.keys() {
                let filter = Filter::with(Term::Segment(vec![name.clone()]));
                Selection::new(&filter, &filters, Tz::UTC, created_at)
                    .map_err(|error| error.to_string())?;
            }
            Ok(())
        };
        let saved = self.segments.save_segment(&segment, Arc::new(is_allowed)).await;
        match saved.map_err(ServiceError::from)? {
            SavedSegment::Saved(old) => Ok(old.map(|old| *old)),
            SavedSegment::Refused(reason) => Err(AudienceError::Refused(reason)),
        }
    }

    /// Deletes a segment and returns it.
    ///
    /// # Errors
    /// If there is none of this name, if another segment uses it, or if the storage fails.
    pub async fn delete_segment(&self, name: &LabelName) -> Result<Segment, AudienceError> {
        match self.segments.delete_segment(name).await.map_err(ServiceError::from)? {
            DeletedSegment::Deleted(segment) => Ok(*segment),
            DeletedSegment::Unknown => Err(SelectionError::UnknownSegment(name.clone()).into()),
            DeletedSegment::Used(by) => {
                let by: Vec<&str> = by.iter().map(LabelName::as_str).collect();
                let by = by.join(", ");
                Err(AudienceError::Refused(format!("segment '{name}' is used by: {by}")))
            }
        }
    }

    /// Checks that the tags and groups exist. Without it, `-tag:typo` would select everyone.
    async fn check_labels(&self, node: &FilterNode) -> Result<(), AudienceError> {
        for kind in LabelKind::ALL {
            let named = node.terms().flat_map(|term| match (term, kind) {
                (Term::Tag(names), LabelKind::Tag) | (Term::Group(names), LabelKind::Group) => {
                    names.as_slice()
                }
                _ => &[],
            });
            let named: BTreeSet<&LabelName> = named.collect();
            if named.is_empty() {
                continue;
            }
            let known = self.labels.labels(kind).await.map_err(ServiceError::from)?;
            let is_unknown = |name: &&&LabelName| !known.iter().any(|label| label.name == ***name);
            if let Some(name) = named.iter().find(is_unknown) {
                return Err(AudienceError::UnknownLabel(kind, (*name).clone()));
            }
        }
        Ok(())
    }

    /// Checks that the broadcasts exist. Without it, `-broadcast:99` would select everyone.
    async fn check_broadcasts(&self, node: &FilterNode) -> Result<(), AudienceError> {
        let named = node.terms().flat_map(|term| match term {
            Term::Broadcast(all) => all.iter().map(|it| it.broadcast).collect(),
            Term::Pressed(all) => all.clone(),
            _ => Vec::new(),
        });
        let named: BTreeSet<i64> = named.collect();
        for id in named {
            let known = self.broadcasts.broadcast(id).await.map_err(ServiceError::from)?;
            if known.is_none() {
                return Err(AudienceError::UnknownBroadcast(id));
            }
        }
        Ok(())
    }

    /// Checks that the categories of broadcasts exist. Without it, `-opted_out:typo` would select everyone.
    async fn check_categories(&self, node: &FilterNode) -> Result<(), AudienceError> {
        let named = node.terms().flat_map(|term| match term {
            Term::OptedOut(names) | Term::Capped(names) => names.as_slice(),
            _ => &[],
        });
        let named: BTreeSet<&LabelName> = named.collect();
        if named.is_empty() {
            return Ok(());
        }
        let known = self.broadcasts.broadcast_categories().await.map_err(ServiceError::from)?;
        match named.into_iter().find(|name| !known.iter().any(|it| it.name == **name)) {
            Some(name) => Err(AudienceError::UnknownCategory(name.clone())),
            None => Ok(()),
        }
    }

    async fn filters(&self) -> Result<BTreeMap<LabelName, Filter>, ServiceError> {
        let segments = self.segments.segments().await?;
        Ok(segments.into_iter().map(|it| (it.name, it.filter)).collect())
    }
}
