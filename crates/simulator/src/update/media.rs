//! Messages with photos, videos, files, voice or polls, and the captions and buttons of messages.

use serde_json::{Value, json};

use super::Update;
use super::messages::by_person;
use crate::people::{Chat, Person};

/// Messages in a person's private chat with the bot, or in another chat with [`Update::in_chat`].
impl Update {
    /// A photo without a caption.
    pub fn photo(person: &Person) -> Self {
        let photo = json!([{
            "file_id": "AgACAgIAAxkBAAM", "file_unique_id": "AQADphoto",
            "width": 90, "height": 67, "file_size": 1253,
        }]);
        Self::message_with(person, "photo", photo)
    }

    /// A video without a caption.
    pub fn video(person: &Person) -> Self {
        let video = json!({
            "file_id": "BAACAgIAAxkBAAM", "file_unique_id": "AgADvideo",
            "width": 640, "height": 360, "duration": 12, "mime_type": "video/mp4",
            "file_size": 482_113,
        });
        Self::message_with(person, "video", video)
    }

    /// A file without a caption.
    pub fn document(person: &Person, file_name: &str) -> Self {
        let document = json!({
            "file_id": "BQACAgIAAxkBAAM", "file_unique_id": "AgADdocument",
            "file_name": file_name, "mime_type": "application/pdf", "file_size": 20_480,
        });
        Self::message_with(person, "document", document)
    }

    /// A voice message without a caption.
    pub fn voice(person: &Person) -> Self {
        let voice = json!({
            "file_id": "AwACAgIAAxkBAAM", "file_unique_id": "AgADvoice",
            "duration": 3, "mime_type": "audio/ogg", "file_size": 9_216,
        });
        Self::message_with(person, "voice", voice)
    }

    /// A sticker.
    pub fn sticker(person: &Person) -> Self {
        let sticker = json!({
            "file_id": "CAACAgIAAxkBAAM", "file_unique_id": "AgADsticker", "type": "regular",
            "width": 512, "height": 512, "is_animated": false, "is_video": false, "emoji": "🏒",
        });
        Self::message_with(person, "sticker", sticker)
    }

    /// A message with a poll without votes.
    pub fn poll_message(person: &Person, question: &str) -> Self {
        let poll = json!({
            "id": "5184", "question": question,
            "options": [
                { "persistent_id": "1", "text": "Yes", "voter_count": 0 },
                { "persistent_id": "2", "text": "No", "voter_count": 0 },
            ],
            "total_voter_count": 0, "is_closed": false, "is_anonymous": true, "type": "regular",
            "allows_multiple_answers": false, "allows_revoting": false, "members_only": false,
        });
        Self::message_with(person, "poll", poll)
    }

    /// With a caption below the photo, video, file or voice message.
    pub fn with_caption(self, caption: impl Into<String>) -> Self {
        self.with("caption", caption.into())
    }

    /// With link buttons, one in each row, given as labels and addresses. A message of a person has
    /// buttons if it is a forward from a bot or channel.
    pub fn with_links(self, buttons: &[(&str, &str)]) -> Self {
        let rows = buttons.iter().map(|(text, url)| json!([{ "text": text, "url": url }]));
        self.with("reply_markup", json!({ "inline_keyboard": rows.collect::<Vec<_>>() }))
    }

    /// As a forward of a channel's post from a day earlier.
    pub fn forwarded_from_channel(self, channel: &Chat, message_id: i64) -> Self {
        let origin = json!({ "type": "channel", "chat": channel, "message_id": message_id });
        self.with("forward_origin", origin)
    }

    fn message_with(person: &Person, field: &str, media: Value) -> Self {
        Self::new("message", by_person(person)).with(field, media)
    }
}
