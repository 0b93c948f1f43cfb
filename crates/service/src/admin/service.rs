use std::{collections::BTreeSet, sync::Arc};

use rollcall_domain::{Clock, TelegramId};
use rollcall_repository::{AdminRepository, DeviceSecret};
use tokio::sync::{OnceCell, Semaphore};

use super::{
    accounts::Passwords,
    signing_in::{LastingLink, MiniAppKey, Throttle, Watch},
};
use crate::Alerts;

/// The admins: their accounts, their sessions and the audit log. Cheap to clone.
#[derive(Clone)]
pub struct AdminService {
    pub(super) storage: Arc<dyn AdminRepository>,
    pub(super) clock: Arc<dyn Clock>,
    /// The owners by the setting; others may have claimed the bot.
    pub(super) owners: Arc<BTreeSet<TelegramId>>,
    pub(super) passwords: Passwords,
    pub(super) throttle: Throttle,
    pub(super) watch: Watch,
    pub(super) requires_second_factor: bool,
    pub(super) lasting_link: Option<LastingLink>,
    /// Without it, sign-ins through the Mini App are refused.
    pub(super) mini_app_key: Option<MiniAppKey>,
    /// The secret that signs the cookies of known devices, read at its first use.
    pub(super) device_secret: Arc<OnceCell<DeviceSecret>>,
    /// Held while the use of an API key is noted.
    pub(super) noting_use: Arc<Semaphore>,
}

impl AdminService {
    /// A service over `storage`. `telegram_owners` can sign in as owners, by links from the bot, as
    /// can those who claim the bot.
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
            lasting_link: None,
            mini_app_key: None,
            device_secret: Arc::default(),
            noting_use: Arc::new(Semaphore::new(1)),
        }
    }

    /// The same service, with or without the rule that every admin needs a second factor.
    #[must_use]
    pub fn requiring_second_factor(self, requires_second_factor: bool) -> Self {
        Self { requires_second_factor, ..self }
    }

    /// The same service, where owners can also sign in through the bot's Mini App.
    #[must_use]
    pub fn with_mini_app(self, mini_app_key: Option<MiniAppKey>) -> Self {
        Self { mini_app_key, ..self }
    }

    /// The same service, which raises failed sign-ins and new devices as `alerts`.
    #[must_use]
    pub fn alerting(mut self, alerts: Alerts) -> Self {
        self.watch.alerts = alerts;
        self
    }

    /// The same service, which also accepts `link` if there is one.
    #[must_use]
    pub fn accepting(self, link: Option<LastingLink>) -> Self {
        Self { lasting_link: link, ..self }
    }

    /// Whether every admin needs a second factor.
    pub fn requires_second_factor(&self) -> bool {
        self.requires_second_factor
    }
}
