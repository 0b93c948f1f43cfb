use std::time::Duration;

/// The largest response that is read. A hundred ordinary updates are a few hundred KiB. Even the
/// largest ones, with every text, entity and reply that Telegram allows, stay below this.
pub(super) const LARGEST_RESPONSE_BYTES: usize = 32 << 20;

/// Why calling a method of the Bot API failed. Contains neither the token nor what users wrote.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Telegram refused.
    #[error("Telegram refused {method}: {code} {description}")]
    Refused {
        /// The method.
        method: &'static str,
        /// The error code, which resembles HTTP's status codes.
        code: i64,
        /// Telegram's reason.
        description: String,
        /// How long Telegram asks to wait before the next attempt.
        retry_after: Option<Duration>,
        /// The supergroup that the addressed group has become.
        migrate_to_chat_id: Option<i64>,
    },
    /// There was no response.
    #[error("no response to {method}")]
    Transport {
        /// The method.
        method: &'static str,
        /// The reason, without the URL.
        source: reqwest::Error,
    },
    /// The response was not one of the Bot API.
    #[error("the response to {method} (HTTP status {status}) cannot be read: {reason}")]
    Unreadable {
        /// The method.
        method: &'static str,
        /// The HTTP status.
        status: u16,
        /// The reason.
        reason: String,
    },
    /// The response exceeded the limit.
    #[error(
        "the response to {method} (HTTP status {status}) cannot be read: it is longer than {LARGEST_RESPONSE_BYTES} bytes"
    )]
    TooLong {
        /// The method.
        method: &'static str,
        /// The HTTP status.
        status: u16,
    },
}

impl CallError {
    pub(super) fn transport(method: &'static str, error: reqwest::Error) -> Self {
        Self::Transport { method, source: error.without_url() }
    }

    pub(super) fn count(&self) {
        let class = match self {
            Self::Refused { code: 429, .. } => "telegram_429",
            Self::Refused { code: 409, .. } => "telegram_409",
            Self::Refused { code: 400..500, .. } => "telegram_4xx",
            Self::Refused { .. } => "telegram_5xx",
            Self::Transport { .. } => "telegram_unreachable",
            Self::Unreadable { .. } | Self::TooLong { .. } => "telegram_unreadable",
        };
        metrics::counter!("rollcall_errors_total", "class" => class).increment(1);
    }

    /// Whether Telegram rejected the token: it is wrong, or was revoked.
    pub(crate) fn is_bad_token(&self) -> bool {
        matches!(self, Self::Refused { code: 401 | 404, .. })
    }

    /// How long Telegram asks to wait before the next attempt.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Transport { .. } | Self::Unreadable { .. } | Self::TooLong { .. } => None,
        }
    }

    /// The supergroup that the addressed group has become.
    pub(crate) fn migrate_to_chat_id(&self) -> Option<i64> {
        match self {
            Self::Refused { migrate_to_chat_id, .. } => *migrate_to_chat_id,
            Self::Transport { .. } | Self::Unreadable { .. } | Self::TooLong { .. } => None,
        }
    }

    /// What else takes this bot's updates. Only the description distinguishes the two cases.
    pub(crate) fn conflict(&self) -> Option<Conflict> {
        match self {
            // "can't use getUpdates method while webhook is active; …". If the webhook was set during
            // a getUpdates, "terminated by setWebhook request".
            Self::Refused { code: 409, description, .. }
                if description.to_lowercase().contains("webhook") =>
            {
                Some(Conflict::Webhook)
            }
            // "terminated by other getUpdates request; …"
            Self::Refused { code: 409, .. } => Some(Conflict::OtherPoller),
            _ => None,
        }
    }

    /// Whether the call may have taken effect: Telegram may have received it, and gave no answer that
    /// says otherwise. A proxy's error page is not Telegram's answer.
    pub fn may_have_taken_effect(&self) -> bool {
        match self {
            // The Bot API server stopped with the call on its way, or lost track of the message.
            Self::Refused { code: 500.., description, .. } => {
                let description = description.to_lowercase();
                ["restart", "request aborted", "as sent message"]
                    .iter()
                    .any(|sign| description.contains(sign))
            }
            Self::Refused { .. } => false,
            // Without a connection, nothing was sent.
            Self::Transport { source, .. } => !source.is_connect() && !source.is_builder(),
            Self::Unreadable { .. } | Self::TooLong { .. } => true,
        }
    }

    /// Whether a retry may help: Telegram is busy, broken or unreachable, or cannot reach the
    /// webhook's host.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { code: 400, description, .. } => is_network_failure(description),
            Self::Refused { code, .. } => *code == 429 || *code >= 500,
            Self::Transport { .. } | Self::Unreadable { .. } | Self::TooLong { .. } => true,
        }
    }
}

/// Whether Telegram refused a webhook because it could not resolve or reach the host, and not because
/// of the address itself. Only the description says so, after "Bad Request: bad webhook: ".
fn is_network_failure(description: &str) -> bool {
    const CAUSES: [&str; 12] = [
        "failed to resolve host",
        "can't connect to the webhook",
        "connection closed",
        "connection refused",
        "connection reset",
        "connection timed out",
        "timeout expired",
        "host is down",
        "host is unreachable",
        "network is down",
        "network is unreachable",
        "no route to host",
    ];
    let description = description.to_lowercase();
    let cause = description.split_once("bad webhook: ").map(|(_, cause)| cause);
    cause.is_some_and(|cause| CAUSES.iter().any(|known| cause.contains(known)))
}

/// What else takes the bot's updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// Another process calls getUpdates.
    OtherPoller,
    /// A webhook is set.
    Webhook,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &'static str, code: i64, description: &str) -> CallError {
        CallError::Refused {
            method,
            code,
            description: description.to_owned(),
            retry_after: None,
            migrate_to_chat_id: None,
        }
    }

    #[test]
    fn the_description_distinguishes_conflicts() {
        for (code, description, conflict) in [
            (
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                Some(Conflict::OtherPoller),
            ),
            (
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
                Some(Conflict::Webhook),
            ),
            (409, "Conflict: terminated by setWebhook request", Some(Conflict::Webhook)),
            (400, "Bad Request: bad webhook", None),
        ] {
            assert_eq!(
                refused("getUpdates", code, description).conflict(),
                conflict,
                "{description}"
            );
        }
    }

    #[test]
    fn the_code_shows_bad_tokens_and_transient_errors() {
        let refused = |code| refused("x", code, "");
        assert!(refused(401).is_bad_token() && refused(404).is_bad_token());
        assert!(!refused(403).is_bad_token());
        assert!(
            refused(429).is_transient()
                && refused(502).is_transient()
                && !refused(400).is_transient()
        );
    }

    #[test]
    fn an_unreachable_webhook_host_is_transient() {
        let refused = |description: &str| refused("setWebhook", 400, description);
        for cause in [
            "Failed to resolve host: Temporary failure in name resolution",
            "Failed to resolve host: Name or service not known",
            "Can't connect to the webhook",
            "Connection refused",
            "Connection timed out",
            "Connection timeout expired",
            "Network is unreachable",
            "No route to host",
        ] {
            assert!(
                refused(&format!("Bad Request: bad webhook: {cause}")).is_transient(),
                "{cause}"
            );
            assert!(!refused(&format!("Bad Request: {cause}")).is_transient(), "{cause}");
        }
        for cause in [
            "An HTTPS URL must be provided for webhook",
            "Webhook can be set up only on ports 80, 88, 443 or 8443",
            "IP address 127.0.0.1 is reserved",
            "IPv6-only addresses are not allowed",
            "Invalid IP address specified",
        ] {
            assert!(
                !refused(&format!("Bad Request: bad webhook: {cause}")).is_transient(),
                "{cause}"
            );
        }
    }
}
