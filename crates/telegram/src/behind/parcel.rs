//! An update on its way to the bot behind.

use rollcall_domain::QuarantinedUpdate;

use super::order::chat_of;
use crate::update::Update;

/// An update on its way to the bot behind.
pub(super) struct Parcel {
    pub(super) update_id: i64,
    /// The updates with the same number are delivered in order.
    pub(super) chat: i64,
    quarantined: QuarantinedUpdate,
}

impl Parcel {
    /// `None` for an update without an id, which cannot be acknowledged by itself.
    pub(super) fn of(update: &Update<'_>) -> Option<Self> {
        let registered = update.interaction.is_some();
        let quarantined = update.whole(registered)?;
        let chat = chat_of(&quarantined.payload);
        Some(Self { update_id: quarantined.update_id, chat, quarantined })
    }

    /// An update from the quarantine.
    pub(super) fn again(update: &QuarantinedUpdate) -> Self {
        let chat = chat_of(&update.payload);
        Self { update_id: update.update_id, chat, quarantined: update.clone() }
    }

    /// The update as Telegram delivered it.
    pub(super) fn json(&self) -> &str {
        &self.quarantined.payload
    }

    /// The update for the quarantine, without a reason.
    pub(super) fn quarantined(&self) -> QuarantinedUpdate {
        self.quarantined.clone()
    }
}
