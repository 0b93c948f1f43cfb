use std::time::Duration;

use rollcall_domain::UnreachableReason;

use crate::client::CallError;

/// Why a message was not sent. Contains no user's words.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The bot cannot write to this user until they write to it again.
    #[error("the user is unreachable: {}", cause.name())]
    Unreachable {
        /// The reason.
        cause: UnreachableReason,
        /// Telegram's error.
        source: CallError,
    },
    /// Telegram asks to wait longer for this chat than a message can.
    #[error("Telegram asks to wait for another {:.0} s", left.as_secs_f64())]
    Held {
        /// The remaining time.
        left: Duration,
    },
    /// Telegram refused this message, or was unreachable in every attempt.
    #[error("the message cannot be sent")]
    Call(#[source] CallError),
}

impl SendError {
    pub(super) fn new(chat_id: i64, error: CallError) -> Self {
        match unreachable_reason(&error) {
            // Groups have negative ids; their errors are not about a user.
            Some(cause) if chat_id > 0 => Self::Unreachable { cause, source: error },
            _ => Self::Call(error),
        }
    }

    /// Whether the message to edit no longer exists: it was deleted, or its group became a supergroup.
    pub fn is_of_lost_message(&self) -> bool {
        let Self::Call(error) = self else { return false };
        const LOST: [&str; 3] =
            ["message to edit not found", "message can't be edited", "message_id_invalid"];
        error.migrate_to_chat_id().is_some()
            || refusal(error, &[400])
                .is_some_and(|words| LOST.iter().any(|lost| words.contains(lost)))
    }
}

/// Why a user is unreachable. Only the description says so.
pub(crate) fn unreachable_reason(error: &CallError) -> Option<UnreachableReason> {
    const CAUSES: [(i64, &str, UnreachableReason); 4] = [
        (403, "bot was blocked by the user", UnreachableReason::Blocked),
        (403, "user is deactivated", UnreachableReason::Deactivated),
        (400, "chat not found", UnreachableReason::ChatNotFound),
        (403, "bot can't initiate conversation with a user", UnreachableReason::NeverStarted),
    ];
    let CallError::Refused { code, description, .. } = error else { return None };
    let means = |&&(its_code, words, _): &&(i64, &str, UnreachableReason)| {
        *code == its_code && description.contains(words)
    };
    CAUSES.iter().find(means).map(|(.., unreachable_reason)| *unreachable_reason)
}

/// Whether Telegram refused an edit because it changes nothing.
pub(super) fn is_unmodified(error: &CallError) -> bool {
    refusal(error, &[400]).is_some_and(|words| words.contains("message is not modified"))
}

/// Whether Telegram refused a message because of its topic: "message thread not found",
/// "TOPIC_CLOSED", "TOPIC_DELETED", "TOPIC_ID_INVALID", "the chat is not a forum" and more. There is
/// no code for it, but no other refusal contains these words.
pub(super) fn refuses_topic(error: &CallError) -> bool {
    refusal(error, &[400, 403]).is_some_and(|words| {
        ["topic", "thread", "not a forum"].iter().any(|name| words.contains(name))
    })
}

/// The description of a refusal with one of these codes, in lower case.
pub(super) fn refusal(error: &CallError, codes: &[i64]) -> Option<String> {
    match error {
        CallError::Refused { code, description, .. } if codes.contains(code) => {
            Some(description.to_lowercase())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, description: &str) -> CallError {
        CallError::Refused {
            method: "sendMessage",
            code,
            description: description.to_owned(),
            retry_after: None,
            migrate_to_chat_id: None,
        }
    }

    #[test]
    fn the_description_shows_that_a_topic_was_refused() {
        for description in [
            "Bad Request: message thread not found",
            "Bad Request: MESSAGE_THREAD_NOT_FOUND",
            "Bad Request: TOPIC_CLOSED",
            "Bad Request: TOPIC_DELETED",
            "Bad Request: TOPIC_ID_INVALID",
            "Bad Request: topic not found",
            "Bad Request: invalid topic identifier specified",
            "Bad Request: chat doesn't have threads",
            "Bad Request: the chat is not a forum",
        ] {
            assert!(refuses_topic(&refused(400, description)), "{description}");
        }
        for (code, description) in [
            (400, "Bad Request: message is too long"),
            (400, "Bad Request: chat not found"),
            (403, "Forbidden: bot was blocked by the user"),
            (403, "Forbidden: bot was kicked from the supergroup chat"),
            (429, "Too Many Requests: retry after 5"),
            (500, "Internal Server Error: no thread to run"),
        ] {
            assert!(!refuses_topic(&refused(code, description)), "{description}");
        }
    }

    #[test]
    fn the_description_shows_that_a_message_was_lost() {
        for (code, description, is_lost) in [
            (400, "Bad Request: message to edit not found", true),
            (400, "Bad Request: message can't be edited", true),
            (400, "Bad Request: MESSAGE_ID_INVALID", true),
            (400, "Bad Request: message is not modified: specified new message content", false),
            (400, "Bad Request: chat not found", false),
            (403, "Forbidden: bot was kicked from the supergroup chat", false),
            (502, "Bad Gateway: message to edit not found", false),
        ] {
            let error = SendError::new(-5, refused(code, description));
            assert_eq!(error.is_of_lost_message(), is_lost, "{description}");
        }
    }
}
