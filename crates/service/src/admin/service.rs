use std::{collections::BTreeSet, sync::Arc};

use rollcall_domain::{Clock, TelegramId};
use rollcall_repository::AdminRepository;

use super::throttle::Throttle;
use crate::password::Passwords;

/// Looks after admins: their accounts, their sessions, and the log of what they do. Cheap to clone.
#[derive(Clone)]
pub struct AdminService {
    pub(super) storage: Arc<dyn AdminRepository>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) owners: Arc<BTreeSet<TelegramId>>,
    pub(super) passwords: Passwords,
    pub(super) throttle: Throttle,
}

impl AdminService {
    /// A service over `storage`. `telegram_owners` may sign in by links that the bot sends, as
    /// owners.
    pub fn new(
        storage: impl AdminRepository + 'static,
        clock: impl Clock + 'static,
        telegram_owners: BTreeSet<TelegramId>,
    ) -> Self {
        Self {
            storage: Arc::new(storage),
            clock: Arc::new(clock),
            owners: Arc::new(telegram_owners),
            passwords: Passwords::default(),
            throttle: Throttle::default(),
        }
    }
}
