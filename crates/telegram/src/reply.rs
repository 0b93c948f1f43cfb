//! Sending messages.

use frankenstein::{
    ParseMode,
    methods::SendMessageParams,
    types::{LinkPreviewOptions, Message},
};
use serde::de::IgnoredAny;

use crate::client::{CallError, Client};

/// Answers in the chat, and the topic, of a message. `text` is Telegram's HTML.
pub(crate) async fn reply(client: &Client, to: &Message, text: &str) -> Result<(), CallError> {
    let in_topic = to.is_topic_message.unwrap_or_default();
    let parameters = SendMessageParams::builder()
        .chat_id(to.chat.id)
        .maybe_message_thread_id(to.message_thread_id.filter(|_| in_topic))
        .text(text)
        .parse_mode(ParseMode::Html)
        .link_preview_options(LinkPreviewOptions::builder().is_disabled(true).build())
        .build();
    client.call::<IgnoredAny>("sendMessage", &parameters).await.map(drop)
}
