//! The directory of users: filters, sort orders, pages of the list, and the details of one user.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, Utc};

use crate::{CommandUse, LabelsOfUser, ReachabilityChange, SearchTerm, StartPayload, TelegramUser};

/// Selects the users that meet every condition that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// The language of the user's client; "" selects users without a known language.
    pub language: Option<String>,
    /// The deep link by which the user joined; "" selects users without one.
    pub source: Option<String>,
    /// Whether the bot can write to the user.
    pub reachability: Option<ReachabilityFilter>,
    /// The UTC day of the first interaction.
    pub first_seen: Days,
    /// The UTC day of the latest interaction.
    pub last_seen: Days,
    /// The least number of days on which the user was active.
    pub min_active_days: Option<u32>,
    /// The greatest number of days on which the user was active.
    pub max_active_days: Option<u32>,
    /// Whether the account is itself a bot.
    pub is_bot: Option<bool>,
    /// The term that the user's names or id must match.
    pub search: Option<SearchTerm>,
}

impl UserFilter {
    /// A filter that keeps every user.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps users whose client has this language; "" keeps users without a known language.
    #[must_use]
    pub fn with_language(mut self, code: &str) -> Self {
        self.language = Some(code.to_owned());
        self
    }

    /// Keeps users who joined by this deep link; "" keeps users who joined without one.
    #[must_use]
    pub fn with_source(mut self, payload: &str) -> Self {
        self.source = Some(payload.to_owned());
        self
    }

    /// Keeps users who are reachable, who are unreachable, or who blocked the bot.
    #[must_use]
    pub fn with_reachability(mut self, reachability: ReachabilityFilter) -> Self {
        self.reachability = Some(reachability);
        self
    }

    /// Keeps users who were first seen on these days.
    #[must_use]
    pub fn first_seen_on(mut self, days: Days) -> Self {
        self.first_seen = days;
        self
    }

    /// Keeps users who were last seen on these days.
    #[must_use]
    pub fn last_seen_on(mut self, days: Days) -> Self {
        self.last_seen = days;
        self
    }

    /// Keeps users who were active on at least this many days.
    #[must_use]
    pub fn active_on_at_least(mut self, days: u32) -> Self {
        self.min_active_days = Some(days);
        self
    }

    /// Keeps users who were active on at most this many days.
    #[must_use]
    pub fn active_on_at_most(mut self, days: u32) -> Self {
        self.max_active_days = Some(days);
        self
    }

    /// Keeps only bots, or only users who are not bots.
    #[must_use]
    pub fn bots(mut self, is_bot: bool) -> Self {
        self.is_bot = Some(is_bot);
        self
    }

    /// Keeps users whose names or id match.
    #[must_use]
    pub fn matching(mut self, term: SearchTerm) -> Self {
        self.search = Some(term);
        self
    }
}

/// A range of UTC days, both ends included. An end that is not set is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub first: Option<NaiveDate>,
    /// The last day.
    pub last: Option<NaiveDate>,
}

impl Days {
    /// The days from `first` to `last`.
    pub fn between(first: NaiveDate, last: NaiveDate) -> Self {
        Self { first: Some(first), last: Some(last) }
    }

    /// Whether at least one end is set.
    pub fn is_set(self) -> bool {
        self.first.is_some() || self.last.is_some()
    }
}

/// Selects users by whether the bot can write to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReachabilityFilter {
    /// Users the bot can write to.
    Reachable,
    /// Users the bot cannot write to, for any reason.
    Unreachable,
    /// Users who blocked the bot.
    Blocked,
}

/// The order of a list of users. Users with equal keys are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserSort {
    /// The value to sort by.
    pub key: SortKey,
    /// Whether the largest or latest value comes first.
    pub descending: bool,
}

impl UserSort {
    /// Every order by its name in URLs and commands: the key, after `-` if it descends.
    pub const NAMED: [(&str, Self); 8] = [
        ("first_seen", Self { key: SortKey::FirstSeen, descending: false }),
        ("-first_seen", Self { key: SortKey::FirstSeen, descending: true }),
        ("last_seen", Self { key: SortKey::LastSeen, descending: false }),
        ("-last_seen", Self { key: SortKey::LastSeen, descending: true }),
        ("active_days", Self { key: SortKey::ActiveDays, descending: false }),
        ("-active_days", Self { key: SortKey::ActiveDays, descending: true }),
        ("id", Self { key: SortKey::Id, descending: false }),
        ("-id", Self { key: SortKey::Id, descending: true }),
    ];

    /// The order's name.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, sort)| *sort == self).map_or("", |(name, _)| name)
    }

    /// The order with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|(it, _)| *it == name).map(|(_, sort)| sort)
    }
}

/// The users who joined last come first.
impl Default for UserSort {
    fn default() -> Self {
        Self { key: SortKey::FirstSeen, descending: true }
    }
}

/// What users can be sorted by. Each key has an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// The time of the first interaction.
    FirstSeen,
    /// The UTC day of the latest interaction. Its exact time has no index, because it changes with
    /// each interaction.
    LastSeen,
    /// The number of days on which the user was active.
    ActiveDays,
    /// The id.
    Id,
}

impl SortKey {
    /// The value by which a user is sorted, who was active on so many days: microseconds, days since
    /// 1970 or a number.
    pub fn value_of(self, user: &TelegramUser, active_days: u32) -> i64 {
        match self {
            Self::FirstSeen => user.created_at.timestamp_micros(),
            Self::LastSeen => (user.active_day() - NaiveDate::default()).num_days(),
            Self::ActiveDays => active_days.into(),
            Self::Id => user.telegram_id.get(),
        }
    }
}

/// A place between two users in a sorted list, and the direction of the page from there. As text it
/// has only letters, digits, `-` and `.`, so that it fits into a URL. Callers must treat the text
/// as opaque.
///
/// It belongs to one key and holds the user's value. So it stays in its place when the list changes
/// or when the user is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The sort key of its list.
    pub key: SortKey,
    /// Whether the page goes backwards and ends here.
    pub backwards: bool,
    /// The value of the key: microseconds, days or a number.
    pub value: i64,
    /// The id of the user next to the place.
    pub telegram_id: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match self.key {
            SortKey::FirstSeen => 'f',
            SortKey::LastSeen => 'l',
            SortKey::ActiveDays => 'a',
            SortKey::Id => 'i',
        };
        let way = if self.backwards { 'b' } else { 'n' };
        write!(f, "{key}{way}{}.{}", self.value, self.telegram_id)
    }
}

/// The text is not a [`Cursor`], for example because a user edited the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place in a list of users")]
pub struct InvalidCursor;

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let mut chars = text.chars();
            let key = match chars.next()? {
                'f' => SortKey::FirstSeen,
                'l' => SortKey::LastSeen,
                'a' => SortKey::ActiveDays,
                'i' => SortKey::Id,
                _ => return None,
            };
            let backwards = match chars.next()? {
                'b' => true,
                'n' => false,
                _ => return None,
            };
            let (value, telegram_id) = chars.as_str().split_once('.')?;
            let (value, telegram_id) = (value.parse().ok()?, telegram_id.parse().ok()?);
            Some(Self { key, backwards, value, telegram_id })
        };
        read().ok_or(InvalidCursor)
    }
}

/// A page of a list of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSlice {
    /// The users, in the order of the list.
    pub rows: Vec<ListedUser>,
    /// Where the page before this one ends; `None` on the first page.
    pub previous: Option<Cursor>,
    /// Where the page after this one begins; `None` on the last page.
    pub next: Option<Cursor>,
    /// The number of users in the whole list.
    pub count: Counted,
    /// Whether the page is shorter than requested although there may be more users. This happens
    /// when matching users are so rare that the search stopped. It continues from `next`, or from
    /// `previous` for a backwards page.
    pub is_partial: bool,
}

/// A user of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The user.
    pub user: TelegramUser,
    /// The number of UTC days on which the user was active.
    pub active_days: u32,
}

/// A number of rows, as exactly as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Exactly this many.
    Exactly(u64),
    /// More than this many; counting stopped there.
    MoreThan(u64),
    /// About this many.
    About(u64),
}

impl Counted {
    /// The number, however exact it is.
    pub fn number(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::MoreThan(number) | Self::About(number) => number,
        }
    }
}

/// Everything that is stored about one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserDetail {
    /// The user.
    pub user: TelegramUser,
    /// The number of UTC days on which the user was ever active.
    pub active_days: u32,
    /// The UTC days of the last 371 (53 weeks) on which the user was active, sorted, each with the
    /// number of interactions.
    pub days: Vec<(NaiveDate, u32)>,
    /// When the user became unreachable or reachable again, latest first.
    pub reach_history: Vec<ReachabilityChange>,
    /// The deep links that the user opened, and when, latest first.
    pub starts: Vec<(DateTime<Utc>, StartPayload)>,
    /// The commands and families of buttons that the user used, latest first.
    pub uses: Vec<CommandUse>,
    /// The changes of the profile, latest first.
    pub profile_changes: Vec<ProfileChange>,
    /// The admins' note about the user.
    pub note: Option<Note>,
    /// The user's tags and groups.
    pub labels: LabelsOfUser,
}

/// Telegram sent another name or language of a user than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileChange {
    /// When Telegram first sent the new value.
    pub at: DateTime<Utc>,
    /// What changed.
    pub field: ProfileField,
    /// The old value.
    pub old: Option<String>,
    /// The new value.
    pub new: Option<String>,
}

/// A part of a profile whose changes are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileField {
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The username.
    Username,
    /// The language.
    LanguageCode,
}

impl ProfileField {
    /// Every field.
    pub const ALL: [Self; 4] =
        [Self::FirstName, Self::LastName, Self::Username, Self::LanguageCode];

    /// The field's name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Username => "username",
            Self::LanguageCode => "language_code",
        }
    }

    /// The field with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The field's value in a user's profile.
    pub fn of(self, user: &TelegramUser) -> Option<&str> {
        match self {
            Self::FirstName => Some(&user.first_name),
            Self::LastName => user.last_name.as_deref(),
            Self::Username => user.username.as_ref().map(crate::Username::as_str),
            Self::LanguageCode => user.language_code.as_deref(),
        }
    }
}

/// An admin's note about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text; never empty.
    pub text: String,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The name of its author.
    pub by: String,
}

/// A note was added, replaced or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteChange {
    /// The old text.
    pub old: Option<String>,
    /// The new text.
    pub new: Option<String>,
}

/// The most characters that a note may have.
pub const MAX_NOTE_CHARS: usize = 10_000;

/// A level of the calendar of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateLevel {
    /// All years.
    Years,
    /// The months of the year of this day.
    Months(NaiveDate),
    /// The days of the month of this day.
    Days(NaiveDate),
}

/// How many of the current users joined in a year, in a month or on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodCount {
    /// The period's first day.
    pub first: NaiveDate,
    /// The period's last day.
    pub last: NaiveDate,
    /// The number of current users who joined then.
    pub users: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_parsed_back() {
        for key in [SortKey::FirstSeen, SortKey::LastSeen, SortKey::ActiveDays, SortKey::Id] {
            for (backwards, value) in [(false, i64::MAX), (true, -1), (true, 0)] {
                let cursor = Cursor { key, backwards, value, telegram_id: (1 << 52) - 1 };
                let text = cursor.to_string();
                assert!(text.chars().all(|it| it.is_ascii_alphanumeric() || "-.".contains(it)));
                assert_eq!(text.parse(), Ok(cursor));
            }
        }
        for odd in ["", "f", "fn", "fn1", "fn1.", "xn1.1", "fx1.1", "fn1.1.1", "éé1.1", "fn1.a"] {
            assert_eq!(odd.parse::<Cursor>(), Err(InvalidCursor), "{odd}");
        }
    }
}
