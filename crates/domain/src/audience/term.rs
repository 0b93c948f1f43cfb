use super::{DayField, DayRange, LabelName, NumberRange, OfBroadcast, Share};
use crate::{Language, SearchTerm, TelegramId};

/// One condition of a filter. A condition on a value that a user lacks is false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// The language of the user's client is one of these; case is ignored.
    Language(Vec<Pattern>),
    /// The deep link by which the user joined is one of these.
    Source(Vec<Pattern>),
    /// The user ever opened one of these deep links.
    Started(Vec<Pattern>),
    /// The user has one of these tags.
    Tag(Vec<LabelName>),
    /// The user is in one of these groups.
    Group(Vec<LabelName>),
    /// The user is in one of these segments.
    Segment(Vec<LabelName>),
    /// The user has a private chat with the bot, and there is no obstacle.
    Reachable,
    /// The user blocked the bot.
    Blocked,
    /// The account is a bot.
    Bot,
    /// Something happened on these days.
    Day(DayField, DayRange),
    /// The user was active on so many UTC days.
    ActiveDays(NumberRange),
    /// The user used one of these commands or kinds of buttons.
    Used(Vec<Use>),
    /// The user used this command or kind of button, and the latest time was on these days.
    UsedOn(Use, DayRange),
    /// The user used this command or kind of button on so many days.
    UsedDays(Use, NumberRange),
    /// The user chose one of these time zones.
    Zone(Vec<Pattern>),
    /// The user is such a recipient of one of these broadcasts.
    Broadcast(Vec<OfBroadcast>),
    /// The user pressed a button of one of these broadcasts.
    Pressed(Vec<i64>),
    /// The user has opted out of one of these categories of broadcasts.
    OptedOut(Vec<LabelName>),
    /// The user had as many messages of one of these categories within seven days as its cap allows.
    Capped(Vec<LabelName>),
    /// One of these teams is a favourite of the user: abbreviations in capital letters.
    Team(Vec<String>),
    /// The user chose one of these languages for the bot.
    BotLanguage(Vec<Language>),
    /// There is a note about the user.
    Note,
    /// The user's first or last name matches.
    Name(SearchTerm),
    /// The user's username is this one, or begins with it; case is ignored.
    Username(Pattern),
    /// The user has one of these ids.
    Id(Vec<TelegramId>),
    /// The user is in a random share of all users.
    Random(Share),
    /// The user's names, username or id match.
    Search(SearchTerm),
}

impl Term {
    /// How many values it compares, at least 1.
    pub(super) fn values(&self) -> usize {
        match self {
            Self::Language(all) | Self::Source(all) | Self::Started(all) | Self::Zone(all) => {
                all.len()
            }
            Self::Tag(all) | Self::Group(all) | Self::Segment(all) => all.len(),
            Self::OptedOut(all) | Self::Capped(all) => all.len(),
            Self::Used(all) => all.len(),
            Self::Broadcast(all) => all.len(),
            Self::Pressed(all) => all.len(),
            Self::Team(all) => all.len(),
            Self::BotLanguage(all) => all.len(),
            Self::Id(all) => all.len(),
            _ => 1,
        }
    }
}

/// A text, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The text.
    pub text: String,
    /// Whether a value matches that begins with the text; if not, it must be equal.
    pub is_beginning: bool,
}

impl Pattern {
    /// A pattern that only this text matches.
    pub fn exactly(text: &str) -> Self {
        Self { text: text.to_owned(), is_beginning: false }
    }

    /// A pattern that each text with this beginning matches.
    pub fn beginning(text: &str) -> Self {
        Self { text: text.to_owned(), is_beginning: true }
    }

    /// Whether a value matches, with case.
    pub fn matches(&self, value: &str) -> bool {
        if self.is_beginning { value.starts_with(&self.text) } else { value == self.text }
    }

    /// Whether a value matches, where the case of A to Z is ignored.
    pub fn matches_any_case(&self, value: &str) -> bool {
        let lower = Self { text: self.text.to_ascii_lowercase(), ..self.clone() };
        lower.matches(&value.to_ascii_lowercase())
    }
}

/// The name of a command, such as `/schedule`, or of a kind of button, such as `schedule`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use(String);

impl Use {
    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` if the text is no such name. Capital letters become small ones.
    pub fn new(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('/').unwrap_or(text);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let fits = (1..=32).contains(&bare.len()) && bare.bytes().all(allowed);
        fits.then(|| Self(text.to_ascii_lowercase()))
    }
}
