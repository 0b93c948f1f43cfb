use std::{collections::BTreeSet, sync::Arc};

use rollcall_domain::{Clock, TelegramId};
use rollcall_repository::{AdminRepository, DeviceSecret};
use tokio::sync::OnceCell;

use super::{
    accounts::Passwords,
    signing_in::{Throttle, Watch},
};
use crate::Alerts;

/// Looks after admins: their accounts, their sessions, and the log of what they do. Cheap to clone.
#[derive(Clone)]
pub struct AdminService {
    pub(super) storage: Arc<dyn AdminRepository>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) owners: Arc<BTreeSet<TelegramId>>,
    pub(super) passwords: Passwords,
    pub(super) throttle: Throttle,
    pub(super) watch: Watch,
    pub(super) requires_second_factor: bool,
    /// What cookies of known devices are signed with, once it was needed.
    pub(super) device_secret: Arc<OnceCell<DeviceSecret>>,
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
            watch: Watch::default(),
            requires_second_factor: false,
            device_secret: Arc::default(),
        }
    }

    /// The same, where everybody has to set a second factor up before they may do anything else.
    #[must_use]
    pub fn requiring_second_factor(self, requires_second_factor: bool) -> Self {
        Self { requires_second_factor, ..self }
    }

    /// The same, where failures to sign in and new devices are raised as `alerts`.
    #[must_use]
    pub fn alerting(mut self, alerts: Alerts) -> Self {
        self.watch.alerts = alerts;
        self
    }

    /// Whether everybody has to have a second factor.
    pub fn requires_second_factor(&self) -> bool {
        self.requires_second_factor
    }
}
