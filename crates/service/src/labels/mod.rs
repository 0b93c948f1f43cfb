//! Tags and groups: creating and deleting them, and which users have them.

mod background;
mod change;
mod error;
mod filter;

use std::{collections::BTreeMap, sync::Arc};

use rollcall_domain::{
    Admin, Clock, Filter, LabelKind, LabelName, LabelsOfUser, MAX_DESCRIPTION_CHARS, TelegramId,
    UserLabel,
};
use rollcall_repository::{
    AudienceRepository, BroadcastRepository, CreatedLabel, DeletedLabel, DirectoryRepository,
    LabelChange, LabelChangeState, LabelChoice, LabelRepository, SegmentRepository,
};

use tokio::sync::Notify;

pub use background::{ChangeStanding, ListedChange};
pub use change::LabelProgress;
pub use error::LabelError;

use crate::{AudienceService, ServiceError, pace::Pace};

/// Knows tags and groups, and changes which users have them. Cheap to clone.
///
/// `by` is the admin who changes something; `None` stands for a management command.
#[derive(Clone)]
pub struct LabelService {
    labels: Arc<dyn LabelRepository>,
    audience: AudienceService,
    clock: Arc<dyn Clock>,
    /// A change waits for a process that works on it.
    waiting: Arc<Notify>,
}

impl LabelService {
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
        let (storage, clock): (_, Arc<dyn Clock>) = (Arc::new(storage), Arc::new(clock));
        let audience = AudienceService::over(&storage, clock.clone());
        Self { labels: storage, audience, clock, waiting: Arc::default() }
    }

    /// The labels of a kind, sorted by name.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn list(&self, kind: LabelKind) -> Result<Vec<UserLabel>, ServiceError> {
        Ok(self.labels.labels(kind).await?)
    }

    /// The labels of a kind, each with its number of users, sorted by name. Counting reads an index
    /// entry for each user and label: about a second for ten million.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn count(&self, kind: LabelKind) -> Result<Vec<(UserLabel, u64)>, ServiceError> {
        let labels = self.labels.labels(kind).await?;
        let numbers: Vec<i32> = labels.iter().map(|label| label.id).collect();
        let counts = self.labels.count_labelled_users(&numbers).await?;
        let count = |label: UserLabel| {
            let users = counts.get(&label.id).copied().unwrap_or_default();
            (label, users)
        };
        Ok(labels.into_iter().map(count).collect())
    }

    /// The number of users with a label. Counting reads an index entry for each of them.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn count_of(&self, label: &UserLabel) -> Result<u64, ServiceError> {
        let counts = self.labels.count_labelled_users(&[label.id]).await?;
        Ok(counts.get(&label.id).copied().unwrap_or_default())
    }

    /// The label of this name.
    ///
    /// # Errors
    /// If there is none, or the storage fails.
    pub async fn find(&self, kind: LabelKind, name: &LabelName) -> Result<UserLabel, LabelError> {
        let labels = self.labels.labels(kind).await?;
        let found = labels.into_iter().find(|label| label.name == *name);
        found.ok_or_else(|| LabelError::Unknown(kind, name.clone()))
    }

    /// Creates a label, if there is none of this name. Returns it, and whether it is new.
    ///
    /// # Errors
    /// If there is no room for another label, the description is too long, or the storage fails.
    pub async fn create(
        &self,
        kind: LabelKind,
        name: &LabelName,
        description: &str,
        by: Option<&Admin>,
    ) -> Result<(UserLabel, bool), LabelError> {
        let description = described(description)?;
        match self.labels.create_label(kind, name, &description, by, self.clock.now()).await? {
            CreatedLabel::New(label) => Ok((label, true)),
            CreatedLabel::Known(label) => Ok((label, false)),
            CreatedLabel::Full => Err(LabelError::Full(kind)),
        }
    }

    /// Changes the description of a label.
    ///
    /// # Errors
    /// If there is no such label, the description is too long, or the storage fails.
    pub async fn describe(
        &self,
        kind: LabelKind,
        name: &LabelName,
        description: &str,
        by: Option<&Admin>,
    ) -> Result<(), LabelError> {
        let description = described(description)?;
        let label = self.find(kind, name).await?;
        match self.labels.describe_label(&label, &description, by, self.clock.now()).await? {
            true => Ok(()),
            false => Err(LabelError::Unknown(kind, name.clone())),
        }
    }

    /// Removes a label from all users and deletes it, in parts that hold no lock for long. If it is
    /// stopped, the label still exists, with the users that are left. Returns how many users had it.
    ///
    /// # Errors
    /// If there is no such label, a saved segment or a change that is not complete names it, or the
    /// storage fails.
    pub async fn delete(
        &self,
        kind: LabelKind,
        name: &LabelName,
        by: Option<&Admin>,
    ) -> Result<u64, LabelError> {
        let label = self.find(kind, name).await?;
        let users = self.count_of(&label).await?;
        let mut pace = Pace::default();
        loop {
            // Such a change would go on with a filter that means other users.
            for kind in LabelKind::ALL {
                if self.recent(kind).await?.iter().any(|change| awaits(change, &label)) {
                    return Err(LabelError::Awaited(label.kind, label.name));
                }
            }
            let now = self.clock.now();
            let part = self.labels.delete_label(&label, users, pace.size(), by, now).await?;
            match part.result {
                DeletedLabel::Deleted => return Ok(users),
                DeletedLabel::Shrunk => {}
                DeletedLabel::Used(segments) => {
                    let segments: Vec<&str> = segments.iter().map(LabelName::as_str).collect();
                    return Err(LabelError::Used(kind, name.clone(), segments.join(", ")));
                }
            }
            pace.follow(part.held);
        }
    }

    /// The labels of these users. Users without labels are left out.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn labels_of(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, LabelsOfUser>, ServiceError> {
        Ok(self.labels.labels_of(ids).await?)
    }

    /// Adds a label to a user, or removes it. A label that is added is created if it is new. Returns
    /// whether that changed something; `None` if there is no such user.
    ///
    /// # Errors
    /// If the label does not exist or cannot be created, or the storage fails.
    pub async fn label_user(
        &self,
        kind: LabelKind,
        name: &LabelName,
        id: TelegramId,
        is_added: bool,
        by: Option<&Admin>,
    ) -> Result<Option<bool>, LabelError> {
        let label = match is_added {
            true => self.create(kind, name, "", by).await?.0,
            false => self.find(kind, name).await?,
        };
        Ok(self.labels.label_user(&label, id, is_added, by, self.clock.now()).await?)
    }
}

/// Whether a change is not complete and its filter names a label.
fn awaits(change: &LabelChange, label: &UserLabel) -> bool {
    change.state == LabelChangeState::Running
        && match &change.choice {
            LabelChoice::Filter { text, .. } => text
                .parse::<Filter>()
                .is_ok_and(|filter| filter.names_label(label.kind, &label.name)),
            LabelChoice::Ids => false,
        }
}

/// A description as it is stored: without U+0000, which PostgreSQL cannot store, and without blanks
/// around.
fn described(text: &str) -> Result<String, LabelError> {
    let text = text.replace('\0', "");
    let text = text.trim();
    match text.chars().count() > MAX_DESCRIPTION_CHARS {
        true => Err(LabelError::DescriptionTooLong),
        false => Ok(text.to_owned()),
    }
}
