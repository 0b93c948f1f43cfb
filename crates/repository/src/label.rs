use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{Admin, LabelKind, LabelName, LabelsOfUser, TelegramId, UserLabel};

use crate::error::RepositoryError;

/// The labels of users: tags and groups. `by` is the admin who changes something; `None` stands for a
/// management command. Each change adds its entry to the audit log in the same transaction.
#[async_trait]
pub trait LabelRepository: Send + Sync {
    /// The labels of a kind, sorted by name.
    async fn labels(&self, kind: LabelKind) -> Result<Vec<UserLabel>, RepositoryError>;

    /// How many users have each of the labels with these numbers. Labels without users are left out.
    async fn count_labelled_users(
        &self,
        labels: &[i32],
    ) -> Result<BTreeMap<i32, u64>, RepositoryError>;

    /// Creates a label at `at`, if there is none of its name and there is room for another one of
    /// its kind.
    async fn create_label(
        &self,
        kind: LabelKind,
        name: &LabelName,
        description: &str,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<CreatedLabel, RepositoryError>;

    /// Changes the description of a label; returns whether the label exists.
    async fn describe_label(
        &self,
        label: &UserLabel,
        description: &str,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// Takes a label from up to `limit` users, and deletes it if no user has it any more. `users` is
    /// how many had it in all, for the audit log. If a saved segment names it, nothing is changed.
    async fn delete_label(
        &self,
        label: &UserLabel,
        users: u64,
        limit: u32,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<LabelPart<DeletedLabel>, RepositoryError>;

    /// The labels of these users. Users without labels are left out.
    async fn labels_of(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, LabelsOfUser>, RepositoryError>;

    /// Adds a label to a user, or removes it. Returns whether that changed something; `None` if the
    /// user or the label does not exist.
    async fn label_user(
        &self,
        label: &UserLabel,
        id: TelegramId,
        is_added: bool,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<Option<bool>, RepositoryError>;

    /// Begins a change of many users, at `at`.
    async fn begin_label_change(
        &self,
        change: &NewLabelChange,
        at: DateTime<Utc>,
    ) -> Result<LabelChange, RepositoryError>;

    /// The changes of labels of a kind that are remembered, the newest first, at most 1,000.
    async fn label_changes(&self, kind: LabelKind) -> Result<Vec<LabelChange>, RepositoryError>;

    /// Goes on with a change: changes the users of a step. Ids without a user are passed over. If
    /// another process has gone on with it meanwhile, nothing is changed, and the change is returned
    /// as it is. `None` if the change or its label is gone.
    async fn continue_label_change(
        &self,
        step: &LabelStep,
        at: DateTime<Utc>,
    ) -> Result<LabelPart<Option<LabelChange>>, RepositoryError>;

    /// Takes over a change as it was read: it counts as touched at `at`, and as a change of `by`.
    /// Returns whether it did; if the change went on or was taken over meanwhile, nothing is changed.
    async fn claim_label_change(
        &self,
        change: &LabelChange,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError>;

    /// How far changes are, by their numbers: in thousandths of the ids between the first and the last
    /// user.
    async fn label_change_progress(
        &self,
        changes: &[LabelChange],
    ) -> Result<BTreeMap<i64, u16>, RepositoryError>;

    /// Undoes a change for up to `limit` users, as a change of `by`; the change is forgotten when it
    /// is undone for all of them. With a limit of 0, it is only marked as being undone. Returns
    /// whether it is undone for all; `None` if the change or its label is gone.
    async fn undo_label_change(
        &self,
        change: &LabelChange,
        limit: u32,
        by: Option<&Admin>,
        at: DateTime<Utc>,
    ) -> Result<LabelPart<Option<bool>>, RepositoryError>;

    /// Forgets changes without a step since `before`, in parts of up to `limit` users. Returns
    /// whether there may be more.
    async fn forget_label_changes(
        &self,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<bool, RepositoryError>;
}

/// The result of creating a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreatedLabel {
    /// It was created.
    New(UserLabel),
    /// There was one of this name, and nothing was changed.
    Known(UserLabel),
    /// There is no room for another one of its kind, and nothing was changed.
    Full,
}

/// What became of a label that was to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletedLabel {
    /// It is deleted.
    Deleted,
    /// There are users left that have it.
    Shrunk,
    /// These segments use it, so nothing changed.
    Used(Vec<LabelName>),
}

/// A part of work that would hold its locks too long as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelPart<T> {
    /// The result.
    pub result: T,
    /// How long the part held its locks.
    pub held: Duration,
}

/// A change of many users to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLabelChange {
    /// The label.
    pub label: UserLabel,
    /// Whether it is added, rather than removed.
    pub is_added: bool,
    /// Which users are changed.
    pub choice: LabelChoice,
    /// Who changes it; `None` for a management command.
    pub by: Option<Admin>,
}

/// Which users a change is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelChoice {
    /// Those with given ids.
    Ids,
    /// Those that a filter selects.
    Filter {
        /// The filter's text.
        text: String,
        /// The name of the time zone of its days.
        zone: String,
    },
}

/// A change of many users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelChange {
    /// Its number.
    pub id: i64,
    /// When it began. The ages of its filter are counted back from here.
    pub started_at: DateTime<Utc>,
    /// When its latest step was.
    pub touched_at: DateTime<Utc>,
    /// Who began it, or resumed or undid it since; `None` for a management command.
    pub by: Option<Admin>,
    /// The label.
    pub label: UserLabel,
    /// Whether the label is added, rather than removed.
    pub is_added: bool,
    /// Which users are changed.
    pub choice: LabelChoice,
    /// How many users it has changed so far.
    pub users: u64,
    /// The last id that it has looked at.
    pub last: Option<TelegramId>,
    /// How far it is.
    pub state: LabelChangeState,
}

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelChangeState {
    /// There are users that it has not looked at.
    Running,
    /// It is complete.
    Done,
    /// It is being undone.
    Undoing,
}

/// A step of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelStep {
    /// The change's number.
    pub change: i64,
    /// The last id that the change has looked at before.
    pub after: Option<TelegramId>,
    /// The users to change.
    pub ids: Vec<TelegramId>,
    /// The last id that it has looked at now.
    pub last: Option<TelegramId>,
    /// Whether no user comes after it.
    pub is_last: bool,
}
