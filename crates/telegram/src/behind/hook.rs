//! The webhook of the bot behind.

use rollcall_domain::SubscribedWebhook;
use tokio::sync::Semaphore;

use super::{
    attempt::Sender,
    url::{InvalidForwardSecret, InvalidForwardUrl},
};
use crate::error::BotError;

/// The webhook of the bot behind.
pub(super) struct Hook {
    pub(super) sender: Sender,
    /// One for each update that may be delivered at once.
    pub(super) connections: Semaphore,
}

impl Hook {
    /// A webhook that gets this many updates at once.
    pub(super) fn new(sender: Sender, connections: usize) -> Self {
        Self { sender, connections: Semaphore::new(connections) }
    }

    pub(super) fn of_subscription(webhook: &SubscribedWebhook) -> Result<Self, InvalidWebhook> {
        let secret = webhook.secret_token.as_deref().map(str::parse).transpose()?;
        let sender = Sender::new(webhook.url.parse()?, secret)?;
        Ok(Self::new(sender, usize::from(webhook.max_connections.max(1))))
    }
}

/// The address or the secret of a webhook is invalid. Shows neither.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidWebhook {
    /// The address.
    #[error(transparent)]
    Url(#[from] InvalidForwardUrl),
    /// The secret.
    #[error(transparent)]
    Secret(#[from] InvalidForwardSecret),
    /// The client for it cannot be created.
    #[error(transparent)]
    Client(#[from] BotError),
}
