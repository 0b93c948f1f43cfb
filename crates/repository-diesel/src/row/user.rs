//! From rows of `telegram_users` to users.

use rollcall_domain::{
    Origin, Reachability, SourceLabel, StartPayload, TelegramId, TelegramUser, UnreachableReason,
    Username,
};

use super::columns::UserRow;
use crate::base::error::Failure;

impl UserRow {
    /// The user that the row holds.
    pub(crate) fn into_user(self) -> Result<TelegramUser, Failure> {
        let key = self.telegram_id;
        let corrupt = |column, reason: &str| Failure::Corrupt {
            table: TABLE,
            column,
            key: key.to_string(),
            reason: reason.to_owned(),
        };
        let obstacle = match self.obstacle.as_deref() {
            None => None,
            Some(name) => {
                let obstacle = UnreachableReason::from_name(name);
                Some(obstacle.ok_or_else(|| corrupt("obstacle", "no obstacle has this name"))?)
            }
        };
        let source = self.source.as_deref().map(str::parse::<StartPayload>).transpose();
        Ok(TelegramUser {
            telegram_id: telegram_id(TABLE, self.telegram_id)?,
            first_name: self.first_name,
            last_name: self.last_name,
            username: self.username.as_deref().and_then(Username::from_telegram),
            language_code: self.language_code,
            is_bot: self.is_bot,
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
            last_seen: self.last_seen.into(),
            profile_seen: self.profile_seen.map(Into::into),
            reachability: Reachability {
                has_private_chat: self.has_private_chat,
                obstacle,
                blocked_at: self.blocked_at.map(Into::into),
                unblocked_at: self.unblocked_at.map(Into::into),
            },
            source: source.map_err(|error| corrupt("source", &error.to_string()))?,
        })
    }
}

const TABLE: &str = "telegram_users";

/// The `telegram_id` of a row of `table`, where it is the key.
pub(crate) fn telegram_id(table: &'static str, id: i64) -> Result<TelegramId, Failure> {
    TelegramId::try_from(id).map_err(|error| Failure::Corrupt {
        table,
        column: "telegram_id",
        key: id.to_string(),
        reason: error.to_string(),
    })
}

/// When a user joined, and the label that its source counts under.
pub(crate) fn origin(user: &TelegramUser, source_label: Option<i32>) -> Origin {
    Origin::new(user.created_at, user.source.is_some().then(|| label_of(source_label)))
}

/// The label with this number, as it is stored.
pub(crate) fn label_of(number: Option<i32>) -> SourceLabel {
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.map_or(SourceLabel::Other, SourceLabel::Own)
}
