//! The categories that users have opted out of.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rollcall_domain::{Clock, LabelName, SYSTEM_CATEGORY, TelegramId};
use rollcall_repository::BroadcastRepository;

use crate::ServiceError;

/// Which broadcasts users want. Cheap to clone.
#[derive(Clone)]
pub struct OptOutService {
    broadcasts: Arc<dyn BroadcastRepository>,
    clock: Arc<dyn Clock>,
    /// Whether a broadcast is known to have been created. It stays so.
    has_broadcasts: Arc<AtomicBool>,
}

/// A category that users can opt out of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryChoice {
    /// Its name.
    pub name: LabelName,
    /// Whether the user has opted out of it.
    pub is_out: bool,
}

impl OptOutService {
    /// Creates a service over `storage`.
    pub fn new(storage: impl BroadcastRepository + 'static, clock: impl Clock + 'static) -> Self {
        let (broadcasts, clock) = (Arc::new(storage), Arc::new(clock));
        Self { broadcasts, clock, has_broadcasts: Arc::default() }
    }

    /// The categories that a user has opted out of.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn opt_outs(&self, id: TelegramId) -> Result<BTreeSet<LabelName>, ServiceError> {
        Ok(self.broadcasts.opt_outs(id).await?)
    }

    /// The categories that a user can opt out of, sorted by name. There are none before the first
    /// broadcast was created.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn choices(&self, id: TelegramId) -> Result<Vec<CategoryChoice>, ServiceError> {
        if !self.has_broadcasts.load(Ordering::Relaxed) {
            if !self.broadcasts.has_broadcasts().await? {
                return Ok(Vec::new());
            }
            self.has_broadcasts.store(true, Ordering::Relaxed);
        }
        let categories = self.broadcasts.broadcast_categories().await?;
        let opt_outs = self.opt_outs(id).await?;
        let names = categories.into_iter().map(|category| category.name);
        let choices = names.filter(|name| name.as_str() != SYSTEM_CATEGORY);
        Ok(choices.map(|name| CategoryChoice { is_out: opt_outs.contains(&name), name }).collect())
    }

    /// Stores that a user wants no more broadcasts of a category, or wants them again. Returns whether
    /// that is possible: not if there is no such user or category, or if it is the category `system`.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn set_opt_out(
        &self,
        id: TelegramId,
        category: &LabelName,
        is_out: bool,
    ) -> Result<bool, ServiceError> {
        Ok(self.broadcasts.set_opt_out(id, category, is_out, self.clock.now()).await?)
    }
}
