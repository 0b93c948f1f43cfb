//! What a broadcast sends, ready to be sent.

use rollcall_domain::{
    BroadcastContent, Buttons, ByLanguage, InvalidLanguageTag, MessageText, Picture, TelegramUser,
    TextError, TextLimit, UserText,
};

use super::messenger::{OptOutButton, OutgoingContent, OutgoingMessage, OutgoingPicture};

/// A message that is the same for all users, but for their language and their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text.
    Text {
        /// The text of each language.
        texts: ByLanguage<MessageText>,
        /// The buttons below.
        buttons: Buttons,
        /// The picture above.
        picture: Option<Picture>,
    },
    /// A copy of another message.
    Copy {
        /// The chat with the message.
        from_chat_id: i64,
        /// The message.
        message_id: i64,
        /// The buttons below, as the Bot API's JSON.
        reply_markup: Option<String>,
    },
}

/// Why a message cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// There is no text for users of any other language.
    #[error("the text for all languages is missing")]
    NoText,
    /// A language is none.
    #[error("'{language}' is not a language; {source}")]
    Language {
        /// What was given.
        language: String,
        /// What is expected.
        source: InvalidLanguageTag,
    },
    /// A text is wrong.
    #[error("the text{} is wrong: {error}\n{}", of_language(language), error.picture(text))]
    Text {
        /// The language; empty for the default.
        language: String,
        /// The text.
        text: String,
        /// What is wrong, and where.
        error: TextError,
    },
    /// The buttons are wrong.
    #[error("the buttons are wrong: {error}\n{}", error.picture(text))]
    Buttons {
        /// The buttons.
        text: String,
        /// What is wrong, and where.
        error: TextError,
    },
}

fn of_language(language: &str) -> String {
    if language.is_empty() { String::new() } else { format!(" for '{language}'") }
}

impl Message {
    /// Parses what a broadcast sends.
    ///
    /// # Errors
    /// If a text, a language or the buttons are wrong.
    pub fn new(content: &BroadcastContent) -> Result<Self, ContentError> {
        let (texts, buttons, picture) = match content {
            BroadcastContent::Text { texts, buttons, picture } => (texts, buttons, picture),
            BroadcastContent::Copy { from_chat_id, message_id, reply_markup } => {
                return Ok(Self::Copy {
                    from_chat_id: *from_chat_id,
                    message_id: *message_id,
                    reply_markup: reply_markup.clone(),
                });
            }
        };
        let limit = Self::limit(picture.as_ref());
        let parse = |language: &str, text: &str| {
            MessageText::parse(text, limit).map_err(|error| ContentError::Text {
                language: language.to_owned(),
                text: text.to_owned(),
                error,
            })
        };
        let default = texts.get("").ok_or(ContentError::NoText)?;
        let mut parsed = ByLanguage::new(parse("", default)?);
        for (language, text) in texts.iter().filter(|(language, _)| !language.is_empty()) {
            parsed
                .set(language, parse(language, text)?)
                .map_err(|source| ContentError::Language { language: language.clone(), source })?;
        }
        let buttons = buttons
            .parse()
            .map_err(|error| ContentError::Buttons { text: buttons.clone(), error })?;
        Ok(Self::Text { texts: parsed, buttons, picture: picture.clone() })
    }

    /// How long a text may be, above which there may be a picture.
    pub fn limit(picture: Option<&Picture>) -> TextLimit {
        if picture.is_some() { TextLimit::Caption } else { TextLimit::Message }
    }

    /// The text for a user; `None` for a copy.
    pub fn text_for(&self, user: &TelegramUser) -> Option<UserText> {
        match self {
            Self::Text { texts, .. } => {
                Some(texts.for_language(user.language_code.as_deref()).for_user(user))
            }
            Self::Copy { .. } => None,
        }
    }

    /// The picture above the text.
    pub fn picture(&self) -> Option<&Picture> {
        match self {
            Self::Text { picture, .. } => picture.as_ref(),
            Self::Copy { .. } => None,
        }
    }

    /// The message to a user, with its picture as it is sent; see
    /// [`PictureService::send`](super::PictureService::send).
    pub(super) fn to(
        &self,
        user: &TelegramUser,
        opt_out: Option<OptOutButton>,
        picture: Option<OutgoingPicture>,
    ) -> OutgoingMessage {
        let content = match self {
            Self::Text { texts, buttons, .. } => OutgoingContent::Text {
                html: texts.for_language(user.language_code.as_deref()).for_user(user).html(),
                buttons: buttons.clone(),
                picture,
            },
            Self::Copy { from_chat_id, message_id, reply_markup } => OutgoingContent::Copy {
                from_chat_id: *from_chat_id,
                message_id: *message_id,
                reply_markup: reply_markup.clone(),
            },
        };
        OutgoingMessage { content, opt_out, broadcast: None }
    }
}
