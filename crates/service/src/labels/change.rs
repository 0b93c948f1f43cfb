//! Changing the labels of many users at once, and undoing that.

use chrono::TimeDelta;
use rollcall_domain::{Admin, LabelKind, TelegramId, UserLabel};
use rollcall_repository::{LabelChange, LabelChangeState, LabelChoice, LabelStep, NewLabelChange};
use tokio::time::sleep;

use super::{LabelError, LabelService};
use crate::{ServiceError, pace::Pace};

/// How long a change can be undone or resumed after its latest step.
const UNDOABLE: TimeDelta = TimeDelta::hours(1);

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelProgress {
    /// How many users it has looked at in this call.
    pub seen: u64,
    /// How many users it has changed in all.
    pub changed: u64,
}

impl LabelService {
    /// Adds a label to users, or removes it, in parts that hold no lock for long. Ids without a user
    /// are passed over. If it is stopped, the same call again completes it. Returns the change.
    ///
    /// # Errors
    /// If the label is deleted or the change is undone meanwhile, or the storage fails.
    pub async fn change_ids(
        &self,
        label: &UserLabel,
        ids: &[TelegramId],
        is_added: bool,
        by: Option<&Admin>,
        progress: &(dyn Fn(LabelProgress) + Send + Sync),
    ) -> Result<LabelChange, LabelError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let (label, by) = (label.clone(), by.cloned());
        let new = NewLabelChange { label, is_added, choice: LabelChoice::Ids, by };
        let change = self.labels.begin_label_change(&new, self.clock.now()).await?;
        let mut work = Work::new(self, change, false, progress);
        work.change(&ids, ids.last().copied(), true).await?;
        Ok(work.change)
    }

    /// Undoes the latest change of labels of a kind, in parts that hold no lock for long. If it is
    /// stopped, the same call again completes it. `progress` gets the numbers of users that are done
    /// and that the change had changed. Returns the change.
    ///
    /// # Errors
    /// If there is no change within the last hour, its label is deleted meanwhile, or the storage
    /// fails.
    pub async fn undo(
        &self,
        kind: LabelKind,
        by: Option<&Admin>,
        progress: &(dyn Fn(LabelProgress) + Send + Sync),
    ) -> Result<LabelChange, LabelError> {
        let latest = self.recent(kind).await?.into_iter().next();
        let change = latest.ok_or(LabelError::NothingToUndo(kind))?;
        self.undo_change(change, by, progress).await
    }

    /// Undoes a change in parts. Between them, the database is left to others for as long.
    pub(super) async fn undo_change(
        &self,
        change: LabelChange,
        by: Option<&Admin>,
        progress: &(dyn Fn(LabelProgress) + Send + Sync),
    ) -> Result<LabelChange, LabelError> {
        let mut pace = Pace::default();
        let mut seen = 0;
        loop {
            let (size, now) = (pace.size(), self.clock.now());
            let part = self.labels.undo_label_change(&change, size, by, now).await?;
            match part.result {
                // Another process has undone it, or the label is gone.
                None => {
                    let LabelChange { label, .. } = &change;
                    return match self.find(label.kind, &label.name).await {
                        Ok(found) if found.id == label.id => Ok(change),
                        Err(LabelError::Service(error)) => Err(error.into()),
                        _ => Err(deleted(&change)),
                    };
                }
                Some(true) => return Ok(change),
                Some(false) => {}
            }
            pace.follow(part.held);
            seen += u64::from(size);
            progress(LabelProgress { seen, changed: change.users });
            sleep(part.held).await;
        }
    }

    /// The changes that can still be undone, the newest first.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn recent(&self, kind: LabelKind) -> Result<Vec<LabelChange>, LabelError> {
        let since = self.clock.now() - UNDOABLE;
        let changes = self.labels.label_changes(kind).await?;
        Ok(changes.into_iter().filter(|change| change.touched_at >= since).collect())
    }

    /// Forgets some of the changes that can no longer be undone. Returns whether there may be more.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn forget_old(&self) -> Result<bool, ServiceError> {
        let before = self.clock.now() - UNDOABLE;
        Ok(self.labels.forget_label_changes(before, FORGOTTEN_AT_ONCE).await?)
    }
}

/// How many users of old changes are forgotten at once. The number is small, because on SQLite no user
/// can be registered meanwhile.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

/// A change that goes on.
pub(super) struct Work<'a> {
    service: &'a LabelService,
    pub(super) change: LabelChange,
    /// How many users were looked at, if those are more than the ones to change.
    pub(super) scanned: Option<u64>,
    /// Whether the work ends when another process goes on with the change.
    is_background: bool,
    pace: Pace,
    seen: u64,
    progress: &'a (dyn Fn(LabelProgress) + Send + Sync),
}

impl<'a> Work<'a> {
    pub(super) fn new(
        service: &'a LabelService,
        change: LabelChange,
        is_background: bool,
        progress: &'a (dyn Fn(LabelProgress) + Send + Sync),
    ) -> Self {
        let pace = Pace::default();
        Self { service, change, scanned: None, is_background, pace, seen: 0, progress }
    }

    /// Changes these users, which are sorted. `last` is the last id that was looked at for them.
    pub(super) async fn change(
        &mut self,
        ids: &[TelegramId],
        last: Option<TelegramId>,
        is_last: bool,
    ) -> Result<(), LabelError> {
        let mut left = ids;
        loop {
            // Another process may have gone on.
            let done = left.iter().take_while(|id| Some(**id) <= self.change.last).count();
            left = left.split_at_checked(done).map_or(&[][..], |(_, rest)| rest);
            match self.change.state {
                LabelChangeState::Running if self.change.last < last || is_last => {}
                LabelChangeState::Running | LabelChangeState::Done => return Ok(()),
                LabelChangeState::Undoing => return Err(LabelError::Undone),
            }
            let size = usize::try_from(self.pace.size()).unwrap_or(usize::MAX);
            let (part, rest) = left.split_at_checked(size).unwrap_or((left, &[]));
            let step = LabelStep {
                change: self.change.id,
                after: self.change.last,
                ids: part.to_vec(),
                last: if rest.is_empty() {
                    last.max(self.change.last)
                } else {
                    part.last().copied()
                },
                is_last: is_last && rest.is_empty(),
            };
            let now = self.service.clock.now();
            let done = self.service.labels.continue_label_change(&step, now).await?;
            self.change = done.result.ok_or_else(|| deleted(&self.change))?;
            self.pace.follow(done.held);
            self.seen += u64::try_from(part.len()).unwrap_or_default();
            let seen = self.scanned.unwrap_or(self.seen);
            (self.progress)(LabelProgress { seen, changed: self.change.users });
            if self.is_background && self.change.last != step.last {
                return Err(LabelError::TakenOver);
            }
            // The database is left to others for as long. On SQLite, a registration would not get the
            // lock otherwise.
            sleep(done.held).await;
        }
    }
}

fn deleted(change: &LabelChange) -> LabelError {
    LabelError::Deleted(change.label.kind, change.label.name.clone())
}
