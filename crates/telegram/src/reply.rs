//! Sending messages.

use frankenstein::{ParseMode, methods::SendMessageParams, types::LinkPreviewOptions};

use crate::{
    outbox::{Outbox, SendError},
    update::CommandMessage,
};

/// Answers in the chat, and the topic, of a message. `text` is Telegram's HTML.
pub(crate) async fn reply(
    outbox: &Outbox,
    to: &CommandMessage,
    text: &str,
) -> Result<(), SendError> {
    let parameters = SendMessageParams::builder()
        .chat_id(to.chat.id)
        .maybe_message_thread_id(to.topic)
        .text(text)
        .parse_mode(ParseMode::Html)
        .link_preview_options(LinkPreviewOptions::builder().is_disabled(true).build())
        .build();
    outbox.send(to.chat.id, &parameters).await
}
