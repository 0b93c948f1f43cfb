use std::time::Duration;

use rollcall_domain::UnreachableReason;

use crate::{
    client::CallError,
    outbox::send_error::{refusal, unreachable_reason},
};

/// Why a message of a broadcast was not sent, or what is unknown about it. Contains no user's words.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// The message was not sent, because the bot cannot write to this user until they write to it again.
    #[error("the user is unreachable: {}", cause.name())]
    Unreachable {
        /// The reason.
        cause: UnreachableReason,
        /// Telegram's error.
        source: CallError,
    },
    /// The message was not sent. Telegram refuses the message itself, and so would refuse it for every
    /// recipient.
    #[error("Telegram refuses the content of the message")]
    Content(#[source] CallError),
    /// The message was not sent. Telegram refuses everything from this bot: its token was revoked, it
    /// cannot pay, or the server does not know the method.
    #[error("Telegram lets the bot send no such message")]
    Bot(#[source] CallError),
    /// The message was not sent. Telegram refuses it for this chat, or for a reason that is not known to
    /// concern others.
    #[error("Telegram refuses the message for this chat")]
    Refused(#[source] CallError),
    /// The message may have been sent: the response was lost.
    #[error("the message may have been sent")]
    Unknown(#[source] CallError),
    /// The message was not sent, and can be sent later: Telegram asks to wait, or has not been reachable
    /// for a while.
    #[error("the message has to wait for another {:.0} s", left.as_secs_f64())]
    Later {
        /// How long to wait before the next attempt.
        left: Duration,
    },
    /// The message was not sent, because the caller stopped the waiting.
    #[error("the message was stopped before it was sent")]
    Stopped,
}

impl BulkError {
    /// Whether the recipient may have received the message. All other messages were certainly not sent.
    pub fn may_have_been_sent(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// The error for a message to a private chat that Telegram has refused for good.
    pub(super) fn of_refusal(chat_id: i64, error: CallError) -> Self {
        if chat_id > 0
            && let Some(cause) = unreachable_reason(&error)
        {
            return Self::Unreachable { cause, source: error };
        }
        if concerns_bot(&error) {
            Self::Bot(error)
        } else if concerns_content(&error) {
            Self::Content(error)
        } else {
            Self::Refused(error)
        }
    }
}

/// Whether Telegram refuses the bot or the method, and not this message.
fn concerns_bot(error: &CallError) -> bool {
    const SIGNS: [&str; 3] = ["logged out", "frozen_", "balance_too_low"];
    match error {
        // 421: another server is responsible for the bot.
        CallError::Refused { code: 401 | 404 | 421, .. } => true,
        _ => reason(error).is_some_and(|reason| SIGNS.iter().any(|sign| reason.starts_with(sign))),
    }
}

/// Whether Telegram refuses the message because of its text, its buttons, its file, or the message that
/// is to be copied. Only the description says so. What is not in these lists may concern a single chat.
/// The sources are the Bot API server and TDLib, which pass on names in capitals from Telegram.
fn concerns_content(error: &CallError) -> bool {
    const BEGINNINGS: [&str; 48] = [
        // The text, its markup and its link preview.
        "can't parse",
        "unsupported parse_mode",
        "message text is empty",
        "message is too long",
        "message caption is too long",
        "message_empty",
        "message_too_long",
        "text is too long",
        "text must be",
        "strings must be encoded",
        "entity ",
        "entity_",
        "entities_",
        "object expected as",
        "invalid custom emoji identifier",
        "effect_id_invalid",
        // The buttons.
        "inline keyboard",
        "text buttons are unallowed",
        "reply markup",
        "reply_markup_",
        "button_",
        "link to a user can't be used in",
        // Files, pictures and links to them.
        "wrong file",
        "wrong remote file",
        "wrong http url",
        "wrong type of the web page",
        "failed to get http url",
        "invalid file",
        "invalid remote file",
        "can't use file of type",
        "type of file mismatch",
        "file is too big",
        "file must be",
        "file_",
        "photo",
        "video_",
        "document_",
        "image_",
        "media_",
        "webpage_",
        // Polls.
        "poll",
        "quiz_",
        "wrong poll",
        // The original of a copy.
        "message to copy not found",
        "can't find message to copy",
        "can't copy message",
        "message has protected content",
        "message_id_invalid",
    ];
    const PHRASES: [&str; 3] =
        ["chat to copy message from", "message can't be copied", "chat_forwards_restricted"];
    reason(error).is_some_and(|reason| {
        BEGINNINGS.iter().any(|beginning| reason.starts_with(beginning))
            || PHRASES.iter().any(|phrase| reason.contains(phrase))
    })
}

/// Whether Telegram refuses a message because it does not know its file, or cannot get it any more.
pub(crate) fn is_of_lost_file(error: &CallError) -> bool {
    const BEGINNINGS: [&str; 8] = [
        "wrong file",
        "wrong remote file",
        "invalid file",
        "invalid remote file",
        "can't use file of type",
        "type of file mismatch",
        "file_id_invalid",
        "file_reference_",
    ];
    reason(error).is_some_and(|reason| BEGINNINGS.iter().any(|it| reason.starts_with(it)))
}

/// Telegram's reason for a refusal with code 400, in lower case and without "Bad Request".
fn reason(error: &CallError) -> Option<String> {
    let description = refusal(error, &[400])?;
    Some(description.strip_prefix("bad request: ").map_or(description.clone(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: i64, description: &str) -> &'static str {
        let error = CallError::Refused {
            method: "sendMessage",
            code,
            description: description.to_owned(),
            retry_after: None,
            migrate_to_chat_id: None,
        };
        match BulkError::of_refusal(7, error) {
            BulkError::Unreachable { .. } => "unreachable",
            BulkError::Content(_) => "content",
            BulkError::Bot(_) => "bot",
            BulkError::Refused(_) => "refused",
            BulkError::Unknown(_) => "unknown",
            BulkError::Later { .. } => "later",
            BulkError::Stopped => "stopped",
        }
    }

    #[track_caller]
    fn check(expected: &str, refusals: &[(i64, &str)]) {
        for (code, description) in refusals {
            assert_eq!(class(*code, description), expected, "{code} {description}");
        }
    }

    #[test]
    fn a_refusal_of_the_content_concerns_every_recipient() {
        let refusals = [
            "can't parse entities: Unsupported start tag",
            "can't parse entities: Can't find end tag corresponding to start tag",
            "unsupported parse_mode",
            "message text is empty",
            "text must be non-empty",
            "message is too long",
            "message caption is too long",
            "MESSAGE_TOO_LONG",
            "MESSAGE_EMPTY",
            "ENTITIES_TOO_LONG",
            "ENTITY_BOUNDS_INVALID",
            "ENTITY_MENTION_USER_INVALID",
            "strings must be encoded in UTF-8",
            "can't parse link preview options JSON object",
            "EFFECT_ID_INVALID",
            "BUTTON_URL_INVALID",
            "BUTTON_DATA_INVALID",
            "BUTTON_TYPE_INVALID",
            "BUTTON_USER_PRIVACY_RESTRICTED",
            "REPLY_MARKUP_INVALID",
            "reply markup is too long",
            "object expected as reply markup",
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            "inline keyboard button URL",
            "inline keyboard expected",
            "wrong file identifier/HTTP URL specified",
            "wrong remote file identifier specified: can't unserialize it. Wrong last symbol",
            "wrong file_id or the file is temporarily unavailable",
            "invalid file HTTP URL specified: URL host is empty",
            "failed to get HTTP URL content",
            "wrong type of the web page content",
            "can't use file of type Document as Photo",
            "type of file mismatch",
            "file is too big",
            "FILE_PARTS_INVALID",
            "FILE_REFERENCE_EXPIRED",
            "PHOTO_INVALID_DIMENSIONS",
            "photo has unsupported extension. Use one of .jpg, .jpeg, .gif, .png, .tif or .bmp",
            "IMAGE_PROCESS_FAILED",
            "DOCUMENT_INVALID",
            "VIDEO_CONTENT_TYPE_INVALID",
            "MEDIA_CAPTION_TOO_LONG",
            "MEDIA_EMPTY",
            "WEBPAGE_URL_INVALID",
            "POLL_OPTION_INVALID",
            "wrong poll data specified",
            "message to copy not found",
            "can't copy message",
            "the message can't be copied",
            "MESSAGE_ID_INVALID",
            "chat to copy message from not found",
            "can't access the chat to copy message from",
            "message has protected content and can't be forwarded",
        ];
        for reason in refusals {
            assert_eq!(class(400, &format!("Bad Request: {reason}")), "content", "{reason}");
        }
        // Servers other than Telegram's may leave the prefix out.
        check("content", &[(400, "BUTTON_URL_INVALID"), (400, "Can't parse entities")]);
    }

    #[test]
    fn a_refusal_because_of_the_chat_concerns_only_its_user() {
        check(
            "unreachable",
            &[
                (403, "Forbidden: bot was blocked by the user"),
                (403, "Forbidden: user is deactivated"),
                (403, "Forbidden: bot can't initiate conversation with a user"),
                (400, "Bad Request: chat not found"),
                (400, "Bad Request: private chat not found"),
            ],
        );
        let refusals = [
            "PEER_ID_INVALID",
            "USER_IS_BOT",
            "CHAT_WRITE_FORBIDDEN",
            "CHAT_SEND_PHOTOS_FORBIDDEN",
            "CHAT_SEND_POLL_FORBIDDEN",
            "CHAT_RESTRICTED",
            "VOICE_MESSAGES_FORBIDDEN",
            "user restricted receiving of voice note messages",
            "user restricted receiving of video note messages",
            "PRIVACY_PREMIUM_REQUIRED",
            "ALLOW_PAYMENT_REQUIRED_10",
            "YOU_BLOCKED_USER",
            "have no write access to the chat",
            "can't access the chat",
            "not enough rights to send text messages to the chat",
            "not enough rights to send photos to the chat",
            "need administrator rights in the channel chat",
            "group chat was upgraded to a supergroup chat",
            "message thread not found",
            "TOPIC_CLOSED",
            "chat_id is empty",
            "something that Telegram may say in the future",
            "",
        ];
        for reason in refusals {
            assert_eq!(class(400, &format!("Bad Request: {reason}")), "refused", "{reason}");
        }
        check(
            "refused",
            &[
                (403, "Forbidden: bot can't send messages to bots"),
                (403, "Forbidden: the bot can't send messages to the bot"),
                // The words of another code.
                (403, "Forbidden: message is too long"),
            ],
        );
    }

    #[test]
    fn a_refusal_of_the_bot_concerns_every_message() {
        check(
            "bot",
            &[
                (401, "Unauthorized"),
                (404, "Not Found"),
                (404, "Not Found: method not found"),
                (421, "Misdirected Request: unallowed token specified"),
                (400, "Bad Request: FROZEN_METHOD_INVALID"),
                (400, "Bad Request: BALANCE_TOO_LOW"),
                (400, "Logged out"),
            ],
        );
    }
}
