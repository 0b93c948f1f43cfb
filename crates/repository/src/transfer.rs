use async_trait::async_trait;
use rollcall_domain::{TelegramId, TelegramUser};

use crate::RepositoryError;

/// Users on their way out of the storage, and into it.
#[async_trait]
pub trait TransferRepository: Send + Sync {
    /// Up to `limit` users in the order of their ids, from the first one after `after` on.
    async fn users_after(
        &self,
        after: Option<TelegramId>,
        limit: u32,
    ) -> Result<Vec<TelegramUser>, RepositoryError>;

    /// The id of the `place`-th user after `after`, counted from 1; `None` where there are fewer.
    async fn id_after(
        &self,
        after: Option<TelegramId>,
        place: u32,
    ) -> Result<Option<TelegramId>, RepositoryError>;

    /// Takes users in, all of them or none. Whoever is not there yet is created, and counts as
    /// active on the days of `created_at` and `last_seen`; with others
    /// [`merge`](TelegramUser::merge) decides. A username that two users claim is the one's whose
    /// profile changed last. Nobody registers meanwhile.
    ///
    /// `progress` is told after each part how many there were.
    ///
    /// Answers how many there were in all; `None` where they were given up, and nothing changed.
    async fn import(
        &self,
        incoming: Incoming,
        progress: Box<dyn Fn(Imported) + Send>,
    ) -> Result<Option<Imported>, RepositoryError>;
}

/// Users who are to be taken in, some at a time; an empty part ends them. Where there is none, they
/// are given up.
pub type Incoming = Box<dyn Iterator<Item = Vec<TelegramUser>> + Send>;

/// How many users were taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Who was not there.
    pub created: u64,
    /// Of whom something else was known.
    pub updated: u64,
    /// Of whom the same was known, or more.
    pub unchanged: u64,
}
