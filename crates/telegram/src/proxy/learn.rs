//! What the errors of calls that pass show.

use rollcall_domain::{Clock, TelegramId, error_chain};
use rollcall_service::UserService;
use serde::de::IgnoredAny;

use crate::{
    client::{CallError, Client},
    destination::Migration,
    outbox::{Outbox, unreachable_reason},
};

/// Learns from the body of an error: that a user is unreachable, that Telegram asks to wait, or that a
/// group became a supergroup.
pub(super) fn learn(
    client: &Client,
    outbox: &Outbox,
    users: &UserService,
    chat_id: Option<i64>,
    (status, body): (u16, &[u8]),
) {
    let response = client.read_relayed(status, body);
    let Err(error @ CallError::Refused { .. }) = response.read::<IgnoredAny>() else { return };
    if let Some(wait) = error.retry_after() {
        outbox.note_wait(chat_id, wait);
    }
    let Some(chat_id) = chat_id else { return };
    if let Some(to) = error.migrate_to_chat_id() {
        outbox.learn(Migration { from: chat_id, to });
    }
    // A chat with a positive id is that of a user.
    if let Some(reason) = unreachable_reason(&error)
        && let Ok(user) = TelegramId::try_from(chat_id)
    {
        let (users, at) = (users.clone(), client.clock().now());
        tokio::spawn(async move {
            if let Err(error) = users.mark_unreachable(user, reason, at).await {
                log::warn!(
                    error = error_chain(&error);
                    "could not save that a user cannot be reached"
                );
            }
        });
    }
}
