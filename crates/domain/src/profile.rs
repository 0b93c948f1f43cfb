use crate::{
    TelegramId, Username,
    stored_text::{MAX_NAME_CHARS, stored},
};

/// Language codes longer than this many characters are cut (RFC 5646, section 4.4.1, gives 35).
pub const MAX_LANGUAGE_CODE_CHARS: usize = 35;

/// What Telegram sent about a user in one update (Bot API, "User").
///
/// Build one with [`Profile::new`] if Telegram sent at least the first name, which a complete
/// `User` always has. If only the id is known, use [`Profile::of_id`]: such a profile can create a
/// user, but does not change an existing one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    telegram_id: TelegramId,
    first_name: Option<String>,
    last_name: Option<String>,
    pub(crate) username: Option<Username>,
    language_code: Option<String>,
    is_bot: bool,
}

impl Profile {
    /// A profile with a first name, which may be empty. U+0000 is removed and long names are cut
    /// at [`MAX_NAME_CHARS`] characters, here and in every other part.
    pub fn new(telegram_id: TelegramId, first_name: &str) -> Self {
        Self { first_name: Some(stored(first_name, MAX_NAME_CHARS)), ..Self::of_id(telegram_id) }
    }

    /// A profile of which only the id is known.
    pub fn of_id(telegram_id: TelegramId) -> Self {
        Self {
            telegram_id,
            first_name: None,
            last_name: None,
            username: None,
            language_code: None,
            is_bot: false,
        }
    }

    /// Sets the last name; an empty one counts as absent.
    #[must_use]
    pub fn last_name(mut self, last_name: &str) -> Self {
        self.last_name = non_empty(stored(last_name, MAX_NAME_CHARS));
        self
    }

    /// Sets the username, without its `@`; an empty one counts as absent.
    #[must_use]
    pub fn username(mut self, username: &str) -> Self {
        self.username = Username::from_telegram(username);
        self
    }

    /// Sets an IETF language tag such as `de` or `zh-hant-beta`, cut at [`MAX_LANGUAGE_CODE_CHARS`]
    /// characters. An empty one counts as absent.
    #[must_use]
    pub fn language_code(mut self, language_code: &str) -> Self {
        self.language_code = non_empty(stored(language_code, MAX_LANGUAGE_CODE_CHARS));
        self
    }

    /// Sets whether the account is itself a bot; the default is `false`.
    #[must_use]
    pub fn is_bot(mut self, is_bot: bool) -> Self {
        self.is_bot = is_bot;
        self
    }

    /// The id of the user.
    pub fn telegram_id(&self) -> TelegramId {
        self.telegram_id
    }

    /// The user's username; `None` if there is none, or if only the id is known.
    pub fn shown_username(&self) -> Option<&Username> {
        self.username.as_ref()
    }

    /// The parts of the profile; `None` if only the id is known.
    pub(crate) fn details(&self) -> Option<ProfileDetails<'_>> {
        self.first_name.as_deref().map(|first_name| ProfileDetails {
            first_name,
            last_name: self.last_name.as_deref(),
            username: self.username.as_ref(),
            language_code: self.language_code.as_deref(),
            is_bot: self.is_bot,
        })
    }
}

/// The parts of a profile that replace the stored ones.
pub(crate) struct ProfileDetails<'a> {
    pub(crate) first_name: &'a str,
    pub(crate) last_name: Option<&'a str>,
    pub(crate) username: Option<&'a Username>,
    pub(crate) language_code: Option<&'a str>,
    pub(crate) is_bot: bool,
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
