//! What stands for a part of a user's profile.

use super::{
    TextError,
    cursor::{Cursor, Place},
};
use crate::{
    MAX_LANGUAGE_CODE_CHARS, TelegramUser, harmless, is_visible,
    spelling::{most_like, shortened},
    visible::trimmed,
};

/// A part of a user's profile that a text can contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable {
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The first and the last name, or either alone.
    Name,
    /// The username, without its `@`.
    Username,
    /// The language of the user's Telegram app, as an IETF language tag.
    Language,
}

impl Variable {
    /// Every variable.
    pub const ALL: [Self; 5] =
        [Self::FirstName, Self::LastName, Self::Name, Self::Username, Self::Language];

    /// The name as it is written between braces.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Name => "name",
            Self::Username => "username",
            Self::Language => "language",
        }
    }

    /// What it stands for, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::FirstName => "the first name",
            Self::LastName => "the last name",
            Self::Name => "the first and last name",
            Self::Username => "the username, without @",
            Self::Language => "the language of the Telegram app, such as en or pt-br",
        }
    }

    /// The greatest length of a value, in UTF-16 code units. Names on Telegram have at most 64
    /// characters, of which each has at most two units. Longer values, which only an import can
    /// bring, are cut.
    pub fn max_units(self) -> usize {
        const NAME: usize = 2 * 64;
        match self {
            Self::FirstName | Self::LastName => NAME,
            Self::Name => NAME + 1 + NAME,
            Self::Username => 32,
            Self::Language => MAX_LANGUAGE_CODE_CHARS,
        }
    }

    /// The user's value, [harmless](crate::harmless) and not longer than
    /// [`max_units`](Self::max_units); `None` if it is absent or has no
    /// [visible characters](crate::is_visible).
    pub fn value(self, user: &TelegramUser) -> Option<String> {
        let value = match self {
            Self::FirstName => Some(user.first_name.clone()),
            Self::LastName => user.last_name.clone(),
            Self::Name => user.visible_name(),
            Self::Username => user.username.as_ref().map(|it| it.as_str().to_owned()),
            Self::Language => user.language_code.clone(),
        };
        let value = value.filter(|it| shows(it))?;
        Some(cut(trimmed(&harmless(&value)), self.max_units()))
    }
}

/// Whether Telegram shows a text. U+FFFC, which stands for an object, is a blank in a message.
pub(super) fn shows(text: &str) -> bool {
    text.split('\u{fffc}').any(is_visible)
}

/// A text of at most so many UTF-16 code units; its last one shows that something is missing.
fn cut(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut units = '…'.len_utf16();
    let kept = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= most
    });
    kept.chain(['…']).collect()
}

/// A variable in a text: `{first_name}`, or with a fallback `{first_name|friend}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// What it stands for.
    pub variable: Variable,
    /// What stands there for users without a value. It may be empty: `{last_name|}`.
    pub fallback: Option<String>,
}

impl Placeholder {
    /// The user's value, else the fallback; `None` if there is neither.
    pub fn value(&self, user: &TelegramUser) -> Option<String> {
        self.variable.value(user).or_else(|| self.fallback.clone())
    }

    /// The greatest length in UTF-16 code units.
    pub(super) fn max_units(&self) -> usize {
        let fallback = self.fallback.as_ref().map_or(0, |it| it.encode_utf16().count());
        self.variable.max_units().max(fallback)
    }

    /// Reads a placeholder after its `{`, which was at `at`.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        at: usize,
        place: Place,
    ) -> Result<Self, TextError> {
        cursor.skip_blanks();
        let name_at = cursor.at();
        let name = cursor.take_while(|c| c.is_alphanumeric() || "_-.".contains(c));
        cursor.skip_blanks();
        if name.is_empty() {
            let message = "expected a variable such as {first_name}; write {{ for a brace";
            return Err(cursor.error(at, message));
        }
        let Some(variable) = Variable::ALL.into_iter().find(|it| it.name() == name) else {
            return Err(cursor.error(name_at, unknown(name)));
        };
        let fallback = if cursor.skip("|") {
            Some(fallback(cursor, at, place)?)
        } else if cursor.skip("}") {
            None
        } else {
            let message = format!("expected '}}' or '|' and a fallback after '{{{name}'");
            return Err(cursor.error(cursor.at(), message));
        };
        Ok(Self { variable, fallback })
    }
}

/// Reads a fallback up to the `}` after it.
fn fallback(cursor: &mut Cursor<'_>, at: usize, place: Place) -> Result<String, TextError> {
    let mut fallback = String::new();
    loop {
        let letter_at = cursor.at();
        let message = match cursor.peek() {
            Some('}') => {
                cursor.next();
                return Ok(fallback.trim().to_owned());
            }
            Some('{') => "expected '}' after the fallback; in a fallback, &#123; stands for a '{'",
            Some('|') => "expected one fallback; in a fallback, &#124; stands for a '|'",
            Some('<') => "expected '}' before a tag; in a fallback, &lt; stands for a '<'",
            None => {
                return Err(cursor.error(at, "a variable is not closed; expected '}' after it"));
            }
            Some(_) => {
                fallback.extend(cursor.letter(place)?);
                continue;
            }
        };
        return Err(cursor.error(letter_at, message));
    }
}

/// That a variable is not known, and which one is most like it.
fn unknown(name: &str) -> String {
    let names = || Variable::ALL.into_iter().map(Variable::name);
    if let Some(known) = most_like(names(), &name.to_lowercase()) {
        return format!("unknown variable '{}'; did you mean '{known}'?", shortened(name));
    }
    let known: Vec<&str> = names().collect();
    let known = known.join(", ");
    format!(
        "unknown variable '{}'; expected one of {known}; write {{{{ for a brace",
        shortened(name)
    )
}
