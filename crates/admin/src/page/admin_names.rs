//! The names of admins on the pages.

use std::collections::BTreeMap;

use rollcall_domain::{Admin, TelegramId};
use rollcall_service::ServiceError;

use crate::App;

/// The names of some admins: of an account, its own; of an admin who signs in through Telegram, the
/// one from Telegram if the bot knows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct AdminNames {
    from_telegram: BTreeMap<TelegramId, String>,
}

impl AdminNames {
    /// Looks up the names of these admins. There are few admins, so this reads few users.
    pub(crate) async fn of(app: &App, admins: Vec<Admin>) -> Result<Self, ServiceError> {
        let mut from_telegram = BTreeMap::new();
        for admin in admins {
            if let Admin::Telegram(id) = admin
                && !from_telegram.contains_key(&id)
                && let Some(user) = app.users.get_user_by_telegram_id(id).await?
            {
                from_telegram.insert(id, user.shown_name());
            }
        }
        Ok(Self { from_telegram })
    }

    /// The name of one of them.
    pub(crate) fn name(&self, admin: &Admin) -> String {
        let name = match admin {
            Admin::Account(_) | Admin::Program(_) => None,
            Admin::Telegram(id) => self.from_telegram.get(id),
        };
        name.cloned().unwrap_or_else(|| admin.to_string())
    }

    /// The name of one of them, which is stored as a text.
    pub(crate) fn name_of(&self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |admin| self.name(&admin))
    }
}
