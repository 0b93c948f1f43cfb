//! Changes of labels that the web admin begins, and that a bot works on in the background.
//!
//! The stored changes are the queue. A process takes a change over by touching it, and touches it again
//! with every step. A change that was not touched for [`LEASE`] has lost its process, and another one
//! goes on with it.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{Admin, Filter, LabelKind, LabelName, Term};
use rollcall_repository::{LabelChange, LabelChangeState, LabelChoice, NewLabelChange};

use super::{LabelError, LabelService, filter::read};
use crate::AudienceError;

/// How long a change belongs to its process after a step. A step takes much less than a second.
const LEASE: TimeDelta = TimeDelta::seconds(10);
/// How many changes may be incomplete when another one begins.
const MOST_INCOMPLETE: usize = 20;

/// A change as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedChange {
    /// The change.
    pub change: LabelChange,
    /// How far it is.
    pub standing: ChangeStanding,
    /// How many thousandths of the ids it has passed.
    pub thousandths: u16,
    /// Whether it can be undone now: no newer change of the same label is left.
    pub is_undoable: bool,
    /// Whether it can be resumed now.
    pub is_resumable: bool,
}

/// How far a change is, and whether a process works on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeStanding {
    /// It waits for a process, or for an older change.
    Waiting,
    /// A process works on it.
    Running,
    /// No process works on it, and none will by itself; with the reason, if its filter is the reason.
    Stopped(Option<String>),
    /// It is complete.
    Done,
    /// It is being undone.
    Undoing,
}

impl ListedChange {
    /// Whether it goes on by itself.
    pub fn is_active(&self) -> bool {
        use ChangeStanding::{Running, Undoing, Waiting};
        matches!(self.standing, Waiting | Running | Undoing)
    }
}

impl LabelService {
    /// Begins to add a label to all users of a filter, or to remove it; a label that is added is created
    /// if it is new. A process that runs [`take_change`](Self::take_change) does the work. If the same
    /// change is not complete yet, it is returned.
    ///
    /// # Errors
    /// If the filter cannot be evaluated, the label does not exist or cannot be created, too many
    /// changes are not complete, or the storage fails. Nothing changes then.
    pub async fn start(
        &self,
        (kind, name): (LabelKind, &LabelName),
        (filter, zone): (&Filter, Tz),
        is_added: bool,
        by: &Admin,
    ) -> Result<LabelChange, LabelError> {
        self.check(filter, zone).await?;
        let choice = LabelChoice::Filter { text: filter.to_string(), zone: zone.name().to_owned() };
        let (others, now) = (self.all_recent().await?, self.clock.now());
        let incomplete = others.iter().filter(|it| it.state != LabelChangeState::Done);
        let same = incomplete.clone().find(|it| {
            it.state == LabelChangeState::Running
                && (is_automatic(it) || !is_left(it, now))
                && (it.label.kind, &it.label.name) == (kind, name)
                && (it.is_added, &it.choice) == (is_added, &choice)
        });
        if let Some(same) = same {
            return Ok(same.clone());
        }
        if incomplete.count() >= MOST_INCOMPLETE {
            return Err(LabelError::Busy(MOST_INCOMPLETE));
        }
        let label = match is_added {
            true => self.create(kind, name, "", Some(by)).await?.0,
            false => self.find(kind, name).await?,
        };
        let new = NewLabelChange { label, is_added, choice, by: Some(by.clone()) };
        let change = self.labels.begin_label_change(&new, now).await?;
        self.waiting.notify_one();
        Ok(change)
    }

    /// Begins to undo a change, or to resume undoing it. A process that runs
    /// [`take_change`](Self::take_change) does the work. Returns the change.
    ///
    /// # Errors
    /// If it is not among the changes of the last hour, there is a newer one of its label, or the
    /// storage fails.
    pub async fn start_undo(&self, id: i64, by: &Admin) -> Result<LabelChange, LabelError> {
        let changes = self.all_recent().await?;
        let change = changes.iter().find(|it| it.id == id).ok_or(LabelError::UnknownChange)?;
        if !is_latest(change, &changes) {
            return Err(LabelError::NotLatest(change.label.kind, change.label.name.clone()));
        }
        if change.state == LabelChangeState::Undoing && !is_left(change, self.clock.now()) {
            // A process is undoing it.
            return Ok(change.clone());
        }
        let free_since = self.clock.now() - LEASE;
        let marked = self.labels.undo_label_change(change, 0, Some(by), free_since).await?;
        if marked.result.is_none() {
            return Err(LabelError::UnknownChange);
        }
        self.waiting.notify_one();
        Ok(change.clone())
    }

    /// Lets the change of a command that has stopped go on in the background, as a change of `by`.
    ///
    /// # Errors
    /// If it is not among the changes of the last hour, is not stopped, has no filter, or the storage
    /// fails.
    pub async fn start_again(&self, id: i64, by: &Admin) -> Result<(), LabelError> {
        let now = self.clock.now();
        let changes = self.all_recent().await?;
        let change = changes.iter().find(|it| it.id == id).ok_or(LabelError::UnknownChange)?;
        let is_stopped = !is_automatic(change) && is_left(change, now);
        if !is_stopped || !is_resumable(change) {
            return Err(LabelError::NotStopped);
        }
        if !self.labels.claim_label_change(change, Some(by), now - LEASE).await? {
            return Err(LabelError::NotStopped);
        }
        self.waiting.notify_one();
        Ok(())
    }

    /// The changes of the last hour, the newest first.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn changes(&self) -> Result<Vec<ListedChange>, LabelError> {
        let now = self.clock.now();
        let changes = self.all_recent().await?;
        let progress = self.labels.label_change_progress(&changes).await?;
        let mut listed = Vec::new();
        for change in &changes {
            let standing = self.standing(change, &changes, now).await?;
            let is_stopped = matches!(standing, ChangeStanding::Stopped(_));
            listed.push(ListedChange {
                thousandths: progress.get(&change.id).copied().unwrap_or_default(),
                is_undoable: standing != ChangeStanding::Undoing && is_latest(change, &changes),
                is_resumable: is_stopped && !is_automatic(change) && is_resumable(change),
                standing,
                change: change.clone(),
            });
        }
        Ok(listed)
    }

    /// Takes over a change that waits for a process, the oldest first; `None` if there is none.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn take_change(&self) -> Result<Option<LabelChange>, LabelError> {
        let changes = self.all_recent().await?;
        for change in changes.iter().rev() {
            let now = self.clock.now();
            let is_free = is_automatic(change) && (is_left(change, now) || is_new(change));
            if !is_free || must_wait(change, &changes, now) {
                continue;
            }
            if self.obstacle(change).await?.is_some() {
                continue;
            }
            if self.labels.claim_label_change(change, change.by.as_ref(), now).await? {
                return Ok(Some(change.clone()));
            }
        }
        Ok(None)
    }

    /// Completes or undoes a change that was taken over, in bounded memory and in parts that hold no lock
    /// for long, with pauses between them.
    ///
    /// # Errors
    /// If another process goes on with it, it is undone or its label is deleted meanwhile, or the storage
    /// fails. If the caller cancels it, the change can be taken over again after a while.
    pub async fn work_on(&self, change: LabelChange) -> Result<LabelChange, LabelError> {
        match (change.state, &change.choice) {
            (LabelChangeState::Undoing, _) => {
                let by = change.by.clone();
                self.undo_change(change, by.as_ref(), &|_| ()).await
            }
            (LabelChangeState::Running, LabelChoice::Filter { text, zone }) => {
                let (filter, zone) = read(text, zone)?;
                self.complete(change, &filter, zone, true, &|_| ()).await
            }
            (LabelChangeState::Running, LabelChoice::Ids) | (LabelChangeState::Done, _) => {
                Ok(change)
            }
        }
    }

    /// Resolves when this process has begun a change, or undoing one. Only one task may wait.
    pub async fn change_waits(&self) {
        self.waiting.notified().await;
    }

    async fn all_recent(&self) -> Result<Vec<LabelChange>, LabelError> {
        let mut all = Vec::new();
        for kind in LabelKind::ALL {
            all.extend(self.recent(kind).await?);
        }
        all.sort_by_key(|change| std::cmp::Reverse(change.id));
        Ok(all)
    }

    async fn standing(
        &self,
        change: &LabelChange,
        changes: &[LabelChange],
        now: DateTime<Utc>,
    ) -> Result<ChangeStanding, LabelError> {
        let is_left = is_left(change, now);
        Ok(match change.state {
            LabelChangeState::Done => ChangeStanding::Done,
            LabelChangeState::Undoing if is_left && !is_automatic(change) => {
                ChangeStanding::Stopped(None)
            }
            LabelChangeState::Undoing => ChangeStanding::Undoing,
            LabelChangeState::Running if !is_automatic(change) => match is_left {
                true => ChangeStanding::Stopped(None),
                false => ChangeStanding::Running,
            },
            LabelChangeState::Running => match self.obstacle(change).await? {
                Some(reason) => ChangeStanding::Stopped(Some(reason)),
                None if is_left || is_new(change) || must_wait(change, changes, now) => {
                    ChangeStanding::Waiting
                }
                None => ChangeStanding::Running,
            },
        })
    }

    /// Why the filter of a change cannot be evaluated, such as that its segment was deleted.
    async fn obstacle(&self, change: &LabelChange) -> Result<Option<String>, LabelError> {
        let (LabelChangeState::Running, LabelChoice::Filter { text, zone }) =
            (change.state, &change.choice)
        else {
            return Ok(None);
        };
        let checked = match read(text, zone) {
            Ok((filter, zone)) => self.check(&filter, zone).await,
            Err(error) => Err(error),
        };
        match checked {
            Ok(()) => Ok(None),
            Err(LabelError::Service(error)) => Err(error.into()),
            Err(LabelError::Audience(AudienceError::Service(error))) => Err(error.into()),
            Err(error) => Ok(Some(error.to_string())),
        }
    }
}

/// Whether a change that is not complete goes on by itself when its process has ended. One of a
/// management command does not: it may have been interrupted on purpose.
fn is_automatic(change: &LabelChange) -> bool {
    let can_go_on = match change.state {
        LabelChangeState::Running => change.choice != LabelChoice::Ids,
        LabelChangeState::Undoing => true,
        LabelChangeState::Done => false,
    };
    change.by.is_some() && can_go_on
}

/// Whether no process works on a change any more.
fn is_left(change: &LabelChange, now: DateTime<Utc>) -> bool {
    change.touched_at <= now - LEASE
}

/// Whether no process has taken a change yet.
fn is_new(change: &LabelChange) -> bool {
    change.last.is_none() && change.touched_at == change.started_at
}

fn is_resumable(change: &LabelChange) -> bool {
    change.state == LabelChangeState::Running && change.choice != LabelChoice::Ids
}

/// Whether no newer change of the same label is left. Undoing an older one first would restore something
/// else than there was.
fn is_latest(change: &LabelChange, changes: &[LabelChange]) -> bool {
    !changes.iter().any(|other| other.id > change.id && other.label.id == change.label.id)
}

/// Whether a change must wait for an older one that changes the same label, or one that its filter names.
/// The filter of a segment may name any.
fn must_wait(change: &LabelChange, changes: &[LabelChange], now: DateTime<Utc>) -> bool {
    let filter: Option<Filter> = match &change.choice {
        LabelChoice::Filter { text, .. } => text.parse().ok(),
        LabelChoice::Ids => None,
    };
    changes.iter().any(|other| {
        let label = &other.label;
        let is_named = || {
            filter.as_ref().is_some_and(|it| {
                let is_segment = |term: &Term| matches!(term, Term::Segment(_));
                it.names_label(label.kind, &label.name) || it.terms().any(is_segment)
            })
        };
        let goes_on =
            other.state != LabelChangeState::Done && (is_automatic(other) || !is_left(other, now));
        other.id < change.id && goes_on && (label.id == change.label.id || is_named())
    })
}
