//! Errors that Telegram answers with.

/// Ends a getUpdates request when another one begins.
pub(crate) const OTHER_POLL: &str = "Conflict: terminated by other getUpdates request; make sure \
                                     that only one bot instance is running";
/// Ends a getUpdates request when the bot sets a webhook.
pub(crate) const WEBHOOK_SET: &str = "Conflict: terminated by setWebhook request";
/// Refuses getUpdates while there is a webhook.
pub(crate) const WEBHOOK_ACTIVE: &str = "Conflict: can't use getUpdates method while webhook is \
                                         active; use deleteWebhook to delete the webhook first";

/// The error that a call is answered with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) code: u16,
    pub(crate) description: String,
    /// `parameters.migrate_to_chat_id`: the supergroup that the group has become.
    pub(crate) migrate_to_chat_id: Option<i64>,
}

impl ApiError {
    pub(crate) fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), migrate_to_chat_id: None }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    pub(crate) fn method_not_found() -> Self {
        Self::new(404, "Not Found: method not found")
    }

    pub(crate) fn bad_request(reason: &str) -> Self {
        Self::new(400, format!("Bad Request: {reason}"))
    }

    pub(crate) fn migrated(to: i64) -> Self {
        let error = Self::bad_request("group chat was upgraded to a supergroup chat");
        Self { migrate_to_chat_id: Some(to), ..error }
    }
}
