use std::sync::Arc;

use rollcall_domain::UpdateSubscription;
use rollcall_repository::BotRepository;

use crate::ServiceError;

/// Keeps what the bot behind has chosen about its updates. Cheap to clone.
#[derive(Clone)]
pub struct SubscriptionService {
    storage: Arc<dyn BotRepository>,
}

impl SubscriptionService {
    /// Creates a service over `storage`.
    pub fn new(storage: impl BotRepository + 'static) -> Self {
        Self { storage: Arc::new(storage) }
    }

    /// What the bot behind has chosen; the default if it has chosen nothing.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn subscription(&self) -> Result<UpdateSubscription, ServiceError> {
        Ok(self.storage.subscription().await?)
    }

    /// Stores what the bot behind has chosen. It is durable once this returns.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn set(&self, subscription: &UpdateSubscription) -> Result<(), ServiceError> {
        Ok(self.storage.set_subscription(subscription).await?)
    }
}
