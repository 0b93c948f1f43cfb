use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono_tz::Tz;
use rollcall_domain::{Language, Preferences, TelegramId};

use crate::error::RepositoryError;

/// The preferences of users. Each change returns whether it could be made; users that do not exist
/// have nothing to change.
#[async_trait]
pub trait PreferencesRepository: Send + Sync {
    /// The preferences of these users, read together. A user without an entry has set nothing, or
    /// does not exist. Favourite teams have the ids that represent their
    /// [clubs](rollcall_domain::clubs) now, whichever ids were chosen.
    async fn preferences(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, Preferences>, RepositoryError>;

    /// Sets a language, or none.
    async fn set_language(
        &self,
        id: TelegramId,
        language: Option<Language>,
    ) -> Result<bool, RepositoryError>;

    /// Sets a time zone, or none.
    async fn set_time_zone(
        &self,
        id: TelegramId,
        zone: Option<Tz>,
    ) -> Result<bool, RepositoryError>;

    /// Adds a team's club to the favourites, or removes it. Fails if the team is not known, or if
    /// there are [`MAX_FAVOURITES`](rollcall_domain::MAX_FAVOURITES) others.
    async fn set_favourite(
        &self,
        id: TelegramId,
        team: i64,
        is_favourite: bool,
    ) -> Result<bool, RepositoryError>;
}
