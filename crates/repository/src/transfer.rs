use async_trait::async_trait;
use rollcall_domain::{TelegramId, TelegramUser};

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

    /// Imports users, all or none. A new user is created, and counts as active on the days of
    /// `created_at` and `last_seen`; for existing users [`merge`](TelegramUser::merge) decides. A
    /// username that two users claim goes to the one whose profile changed last. Nothing is
    /// registered meanwhile.
    ///
    /// `progress` is called after each part with the numbers so far.
    ///
    /// Returns the totals; `None` if the import was cancelled, and nothing changed.
    async fn import(
        &self,
        incoming: Incoming,
        progress: Box<dyn Fn(Imported) + Send>,
    ) -> Result<Option<Imported>, RepositoryError>;
}

/// Users to import, in parts; an empty part ends them. Without one, the import is cancelled.
pub type Incoming = Box<dyn Iterator<Item = Vec<TelegramUser>> + Send>;

/// How many users were imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// New users.
    pub created: u64,
    /// Users about which something else was known.
    pub updated: u64,
    /// Users about which the same or more was known.
    pub unchanged: u64,
}
