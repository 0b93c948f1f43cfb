use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono_tz::Tz;
use rollcall_domain::{Language, Preferences, TelegramId};

use crate::RepositoryError;

/// The store of what people have chosen. Each change answers whether it could be made: there is
/// nothing to change of somebody who is not there.
#[async_trait]
pub trait PreferencesRepository: Send + Sync {
    /// What each of these users has chosen, read together. Who is not in the answer has chosen
    /// nothing, or is not there. Favourite teams have the ids that their
    /// [clubs](rollcall_domain::clubs) go by now, under whichever ids they were chosen.
    async fn preferences(
        &self,
        ids: &[TelegramId],
    ) -> Result<BTreeMap<TelegramId, Preferences>, RepositoryError>;

    /// Chooses a language, or none.
    async fn set_language(
        &self,
        id: TelegramId,
        language: Option<Language>,
    ) -> Result<bool, RepositoryError>;

    /// Chooses a time zone, or none.
    async fn set_time_zone(
        &self,
        id: TelegramId,
        zone: Option<Tz>,
    ) -> Result<bool, RepositoryError>;

    /// Makes a team's club a favourite, or no longer one. Not where the team is not known, nor where
    /// there are [`MAX_FAVOURITES`](rollcall_domain::MAX_FAVOURITES) others.
    async fn set_favourite(
        &self,
        id: TelegramId,
        team: i64,
        is_favourite: bool,
    ) -> Result<bool, RepositoryError>;
}
