//! Changing the labels of all users that a filter selects.

use chrono_tz::Tz;
use rollcall_domain::{Admin, Filter, LabelKind, UserLabel};
use rollcall_repository::{LabelChange, LabelChangeState, LabelChoice, NewLabelChange};

use super::{
    LabelError, LabelService,
    change::{LabelProgress, Work},
};

/// How many users are looked at between two steps.
const SCANNED_AT_ONCE: u32 = 10_000;

impl LabelService {
    /// Checks that a filter can be evaluated, and that the tags and groups that it names exist.
    ///
    /// # Errors
    /// If not, or if the storage fails.
    pub async fn check(&self, filter: &Filter, zone: Tz) -> Result<(), LabelError> {
        self.audience.selection(filter, zone).await?;
        Ok(())
    }

    /// Adds a label to all users of a filter, or removes it, in bounded memory and in parts that hold
    /// no lock for long. The filter's days are those of `zone`. If the same change was stopped within
    /// the last hour, it goes on from there. `progress` gets how many users were looked at in this
    /// call, and how many the change has changed. Returns the change.
    ///
    /// # Errors
    /// If the filter cannot be evaluated, the label is deleted or the change is undone meanwhile, or
    /// the storage fails.
    pub async fn change_matching(
        &self,
        label: &UserLabel,
        filter: &Filter,
        zone: Tz,
        is_added: bool,
        by: Option<&Admin>,
        progress: &(dyn Fn(LabelProgress) + Send + Sync),
    ) -> Result<LabelChange, LabelError> {
        let choice = LabelChoice::Filter { text: filter.to_string(), zone: zone.name().to_owned() };
        let is_the_same = |change: &LabelChange| {
            change.state == LabelChangeState::Running
                && (change.label.id, change.is_added) == (label.id, is_added)
                && change.choice == choice
        };
        let stopped = self.recent(label.kind).await?.into_iter().find(is_the_same);
        let now = self.clock.now();
        let change = match stopped {
            Some(change) => change,
            None => {
                // Before anything is written.
                self.check(filter, zone).await?;
                let (label, by) = (label.clone(), by.cloned());
                let new = NewLabelChange { label, is_added, choice, by };
                self.labels.begin_label_change(&new, now).await?
            }
        };
        self.complete(change, filter, zone, false, progress).await
    }

    /// Goes on with the latest change of labels of a kind by a filter that was stopped.
    ///
    /// # Errors
    /// If there is none within the last hour, and as [`change_matching`](Self::change_matching).
    pub async fn resume(
        &self,
        kind: LabelKind,
        progress: &(dyn Fn(LabelProgress) + Send + Sync),
    ) -> Result<LabelChange, LabelError> {
        for change in self.recent(kind).await? {
            if change.state == LabelChangeState::Running
                && let LabelChoice::Filter { text, zone } = &change.choice
            {
                let (filter, zone) = read(text, zone)?;
                return self.complete(change, &filter, zone, false, progress).await;
            }
        }
        Err(LabelError::NothingToResume(kind))
    }

    /// Goes on with a change until no user is left, with pauses in the background.
    pub(super) async fn complete(
        &self,
        change: LabelChange,
        filter: &Filter,
        zone: Tz,
        is_background: bool,
        progress: &(dyn Fn(LabelProgress) + Send + Sync),
    ) -> Result<LabelChange, LabelError> {
        // Ages are counted back from the beginning of the change, also if it goes on the day after.
        let selection = self.audience.selection_at(filter, zone, change.started_at).await?;
        let mut work = Work::new(self, change, is_background, progress);
        let mut scanned = 0;
        loop {
            let after = work.change.last;
            let part = self.audience.matching(&selection, after, SCANNED_AT_ONCE).await?;
            scanned += u64::from(SCANNED_AT_ONCE);
            work.scanned = Some(scanned);
            work.change(&part.ids, part.last, part.last.is_none()).await?;
            if work.change.state != LabelChangeState::Running {
                return Ok(work.change);
            }
        }
    }
}

/// The filter of a change as it is stored, and the zone of its days.
pub(super) fn read(text: &str, zone: &str) -> Result<(Filter, Tz), LabelError> {
    Ok((text.parse()?, zone.parse().unwrap_or(Tz::UTC)))
}
