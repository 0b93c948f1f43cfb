//! What Telegram refuses because a test wants it to.

use std::collections::HashSet;

use fastrand::Rng;
use serde_json::{Map, Value};

use crate::api_error::ApiError;

/// Refused contents and chats.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Parts of texts whose markup counts as broken.
    texts: Vec<String>,
    /// The ids of files that no longer exist.
    files: HashSet<String>,
    blocked: Option<Share>,
}

/// A share of all private chats. A chat is always in it, or never.
#[derive(Clone, Copy, Debug)]
struct Share {
    share: f64,
    seed: u64,
}

impl Refusals {
    pub(crate) fn refuse_text(&mut self, part: String) {
        self.texts.push(part);
    }

    pub(crate) fn lose_file(&mut self, file_id: String) {
        self.files.insert(file_id);
    }

    pub(crate) fn block_share(&mut self, share: f64, seed: u64) {
        self.blocked = Some(Share { share, seed });
    }

    /// Whether the chat is in the share that has blocked the bot.
    pub(crate) fn is_blocked(&self, chat_id: i64) -> bool {
        self.blocked.is_some_and(|Share { share, seed }| {
            chat_id > 0 && Rng::with_seed(seed ^ chat_id.unsigned_abs()).f64() < share
        })
    }

    /// Refuses a message with this text or caption, and these fields.
    pub(crate) fn check(&self, text: &str, content: &Map<String, Value>) -> Result<(), ApiError> {
        if self.texts.iter().any(|part| text.contains(part)) {
            return Err(ApiError::bad_request(
                "can't parse entities: Can't find end of the entity starting at byte offset 0",
            ));
        }
        if !self.files.is_empty() && content.values().any(|media| self.has_lost_file(media)) {
            return Err(ApiError::bad_request("wrong file identifier/HTTP URL specified"));
        }
        Ok(())
    }

    /// Whether a medium, or one of the sizes of a photo, is a lost file.
    fn has_lost_file(&self, media: &Value) -> bool {
        let sizes = media.as_array().map_or(std::slice::from_ref(media), Vec::as_slice);
        let mut ids = sizes.iter().filter_map(|file| file.get("file_id")?.as_str());
        ids.any(|id| self.files.contains(id))
    }
}
