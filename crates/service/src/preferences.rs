use std::sync::Arc;

use chrono_tz::Tz;
use rollcall_domain::{Language, Preferences, TelegramId};
use rollcall_repository::PreferencesRepository;

use crate::ServiceError;

/// Knows what people have chosen. Cheap to clone. Each change answers whether it could be made:
/// there is nothing to change of somebody who is not there.
#[derive(Clone)]
pub struct PreferencesService {
    storage: Arc<dyn PreferencesRepository>,
}

impl PreferencesService {
    /// A service over `storage`.
    pub fn new(storage: impl PreferencesRepository + 'static) -> Self {
        Self { storage: Arc::new(storage) }
    }

    /// What a user has chosen.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn preferences(&self, id: TelegramId) -> Result<Preferences, ServiceError> {
        Ok(self.storage.preferences(id).await?)
    }

    /// Chooses a language, or none.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn set_language(
        &self,
        id: TelegramId,
        language: Option<Language>,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.set_language(id, language).await?)
    }

    /// Chooses a time zone, or none.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn set_time_zone(
        &self,
        id: TelegramId,
        zone: Option<Tz>,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.set_time_zone(id, zone).await?)
    }

    /// Makes a team a favourite, or no longer one. Not where the team is not known, nor where there
    /// are [`MAX_FAVOURITES`](rollcall_domain::MAX_FAVOURITES) others.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn set_favourite(
        &self,
        id: TelegramId,
        team: i64,
        is_favourite: bool,
    ) -> Result<bool, ServiceError> {
        Ok(self.storage.set_favourite(id, team, is_favourite).await?)
    }
}
