use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{LabelName, TelegramId, TelegramUser};

use crate::error::RepositoryError;

/// Exporting and importing users.
#[async_trait]
pub trait TransferRepository: Send + Sync {
    /// Up to `limit` users sorted by id, the first one after `after`.
    async fn users_after(
        &self,
        after: Option<TelegramId>,
        limit: u32,
    ) -> Result<Vec<TelegramUser>, RepositoryError>;

    /// The id of the `place`-th user after `after`, counted from 1; `None` if there are fewer.
    async fn id_after(
        &self,
        after: Option<TelegramId>,
        place: u32,
    ) -> Result<Option<TelegramId>, RepositoryError>;

    /// The tags of these users, sorted. Users without tags are left out.
    async fn tags_of(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, Vec<LabelName>>, RepositoryError>;

    /// Imports users, all or none. A new user is created, and counts as active on the days of
    /// `created_at` and `last_seen`; for existing users [`merge`](TelegramUser::merge) decides. A
    /// username that two users claim goes to the one whose profile changed last. Users get the tags that
    /// they come with, and keep those that they have; unknown tags are created at `at`. Users who are
    /// [suppressed](crate::UserRepository::erase) are left out. Nothing is registered meanwhile.
    ///
    /// `progress` is called after each part with the numbers so far.
    async fn import(
        &self,
        incoming: Incoming,
        at: DateTime<Utc>,
        progress: Box<dyn Fn(Imported) + Send>,
    ) -> Result<ImportEnd, RepositoryError>;
}

/// Users to import, in parts; an empty part ends them. Without one, the import is cancelled.
pub type Incoming = Box<dyn Iterator<Item = Vec<ImportedUser>> + Send>;

/// A user to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedUser {
    /// The user.
    pub user: TelegramUser,
    /// The tags that the user gets.
    pub tags: Vec<LabelName>,
    /// The line of the file.
    pub line: u64,
}

impl From<TelegramUser> for ImportedUser {
    /// A user without tags.
    fn from(user: TelegramUser) -> Self {
        Self { user, tags: Vec::new(), line: 0 }
    }
}

/// How an import ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportEnd {
    /// All users were imported.
    Done(Imported),
    /// It was cancelled, and nothing changed.
    Cancelled,
    /// There is no room for another tag, and nothing changed.
    NoRoom {
        /// The tag.
        tag: LabelName,
        /// The line of the first user that would get it.
        line: u64,
    },
}

/// How many users were imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// New users.
    pub created: u64,
    /// Users about which something else was known, or who got a tag.
    pub updated: u64,
    /// Users about which the same or more was known.
    pub unchanged: u64,
    /// How many tags users got that they did not have.
    pub tagged: u64,
    /// Users that were left out, because they were erased and have not agreed to be stored again.
    pub suppressed: u64,
}
