use crate::{TelegramId, Username};

/// Names longer than this many characters are cut.
pub const MAX_NAME_CHARS: usize = 255;
/// Language codes longer than this many characters are cut (RFC 5646, section 4.4.1, gives 35).
pub const MAX_LANGUAGE_CODE_CHARS: usize = 35;

/// What Telegram said of a user at one moment (Bot API, "User").
///
/// Build one with [`Profile::new`] where Telegram told at least the first name, which it always
/// does for a whole `User`, and with [`Profile::of_id`] where nothing but the id is known: such a
/// profile can create a user, and changes nothing of one that is known already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    telegram_id: TelegramId,
    first_name: Option<String>,
    last_name: Option<String>,
    username: Option<Username>,
    language_code: Option<String>,
    is_bot: bool,
}

impl Profile {
    /// A profile with a first name, which may be empty. U+0000 is removed and long names are cut
    /// at [`MAX_NAME_CHARS`] characters, here and in every other part.
    pub fn new(telegram_id: TelegramId, first_name: &str) -> Self {
        Self { first_name: Some(stored(first_name, MAX_NAME_CHARS)), ..Self::of_id(telegram_id) }
    }

    /// A profile of which nothing but the id is known.
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

    /// With a last name; an empty one is none.
    #[must_use]
    pub fn last_name(mut self, last_name: &str) -> Self {
        self.last_name = non_empty(stored(last_name, MAX_NAME_CHARS));
        self
    }

    /// With a username, without its `@`; an empty one is none.
    #[must_use]
    pub fn username(mut self, username: &str) -> Self {
        self.username = Username::from_telegram(username);
        self
    }

    /// With an IETF language tag such as `de` or `zh-hant-beta`, cut at
    /// [`MAX_LANGUAGE_CODE_CHARS`] characters; an empty one is none.
    #[must_use]
    pub fn language_code(mut self, language_code: &str) -> Self {
        self.language_code = non_empty(stored(language_code, MAX_LANGUAGE_CODE_CHARS));
        self
    }

    /// Whether the account is itself a bot; it is not unless this says so.
    #[must_use]
    pub fn is_bot(mut self, is_bot: bool) -> Self {
        self.is_bot = is_bot;
        self
    }

    /// Whose profile this is.
    pub fn telegram_id(&self) -> TelegramId {
        self.telegram_id
    }

    /// The username that the user shows; `None` where it has none or only the id is known.
    pub fn shown_username(&self) -> Option<&Username> {
        self.username.as_ref()
    }

    /// The parts of a profile that Telegram told whole; `None` where only the id is known.
    pub(crate) fn told(&self) -> Option<Told<'_>> {
        self.first_name.as_deref().map(|first_name| Told {
            first_name,
            last_name: self.last_name.as_deref(),
            username: self.username.as_ref(),
            language_code: self.language_code.as_deref(),
            is_bot: self.is_bot,
        })
    }
}

/// The parts of a profile that replace what is stored.
pub(crate) struct Told<'a> {
    pub(crate) first_name: &'a str,
    pub(crate) last_name: Option<&'a str>,
    pub(crate) username: Option<&'a Username>,
    pub(crate) language_code: Option<&'a str>,
    pub(crate) is_bot: bool,
}

/// Text in its stored form: without U+0000, which PostgreSQL cannot hold, and at most `max_chars`
/// characters long.
pub(crate) fn stored(text: &str, max_chars: usize) -> String {
    text.chars().filter(|&c| c != '\0').take(max_chars).collect()
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
