use std::fmt;

/// What the bot behind Rollcall has chosen about its updates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateSubscription {
    /// Where its updates are delivered; `None` if it asks for them with getUpdates.
    pub webhook: Option<SubscribedWebhook>,
    /// The kinds of updates that it wants, by their names in the Bot API. If there are none, it gets those
    /// that Telegram sends by default.
    pub allowed_updates: Vec<String>,
}

/// The webhook of the bot behind, as it set it.
///
/// Its address and its secret are private, so `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct SubscribedWebhook {
    /// The address.
    pub url: String,
    /// The secret in every request, if there is one.
    pub secret_token: Option<String>,
    /// How many updates are delivered at once, 1 to 100.
    pub max_connections: u8,
}

impl fmt::Debug for SubscribedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubscribedWebhook(…, max_connections: {})", self.max_connections)
    }
}
