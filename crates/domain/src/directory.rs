//! The directory of users: which of them are wanted, in which order, and what a page of them or one
//! of them tells.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, Utc};

use crate::{ReachabilityChange, SearchTerm, StartPayload, TelegramUser};

/// Which users are wanted: those who meet every condition that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// The language that the user's client told; "" for those of whom none is known.
    pub language: Option<String>,
    /// The deep link by which the user came; "" for those who came by none.
    pub source: Option<String>,
    /// Whether the bot can write to the user.
    pub reachability: Option<ReachabilityFilter>,
    /// The UTC day of the first interaction.
    pub first_seen: Days,
    /// The UTC day of the latest interaction.
    pub last_seen: Days,
    /// On at least so many days the user was active.
    pub min_active_days: Option<u32>,
    /// On at most so many days the user was active.
    pub max_active_days: Option<u32>,
    /// Whether the account is itself a bot.
    pub is_bot: Option<bool>,
    /// What the user's names or id are to match.
    pub search: Option<SearchTerm>,
}

impl UserFilter {
    /// Everybody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps those whose client told this language; "" keeps those of whom none is known.
    #[must_use]
    pub fn with_language(mut self, code: &str) -> Self {
        self.language = Some(code.to_owned());
        self
    }

    /// Keeps those who came by this deep link; "" keeps those who came by none.
    #[must_use]
    pub fn with_source(mut self, payload: &str) -> Self {
        self.source = Some(payload.to_owned());
        self
    }

    /// Keeps those whom the bot can reach, or cannot, or who have blocked it.
    #[must_use]
    pub fn with_reachability(mut self, reachability: ReachabilityFilter) -> Self {
        self.reachability = Some(reachability);
        self
    }

    /// Keeps those who were first seen on these days.
    #[must_use]
    pub fn first_seen_on(mut self, days: Days) -> Self {
        self.first_seen = days;
        self
    }

    /// Keeps those who were last seen on these days.
    #[must_use]
    pub fn last_seen_on(mut self, days: Days) -> Self {
        self.last_seen = days;
        self
    }

    /// Keeps those who were active on at least so many days.
    #[must_use]
    pub fn active_on_at_least(mut self, days: u32) -> Self {
        self.min_active_days = Some(days);
        self
    }

    /// Keeps those who were active on at most so many days.
    #[must_use]
    pub fn active_on_at_most(mut self, days: u32) -> Self {
        self.max_active_days = Some(days);
        self
    }

    /// Keeps bots, or those who are none.
    #[must_use]
    pub fn bots(mut self, is_bot: bool) -> Self {
        self.is_bot = Some(is_bot);
        self
    }

    /// Keeps those whose names or id match.
    #[must_use]
    pub fn matching(mut self, term: SearchTerm) -> Self {
        self.search = Some(term);
        self
    }
}

/// A range of UTC days, both ends included; open where an end is not set.
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

    /// Whether it leaves anything out.
    pub fn is_set(self) -> bool {
        self.first.is_some() || self.last.is_some()
    }
}

/// Whom the bot can write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReachabilityFilter {
    /// Whom it can.
    Reachable,
    /// Whom it cannot, for whatever reason.
    Unreachable,
    /// Who has blocked it.
    Blocked,
}

/// The order of a list of users; of equal ones, the order of their ids in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserSort {
    /// What decides.
    pub key: SortKey,
    /// Whether the largest, or latest, comes first.
    pub descending: bool,
}

/// Who came last comes first.
impl Default for UserSort {
    fn default() -> Self {
        Self { key: SortKey::FirstSeen, descending: true }
    }
}

/// What users can be sorted by: what has an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// The time of the first interaction.
    FirstSeen,
    /// The UTC day of the latest interaction; its time has no index, for it changes all the time.
    LastSeen,
    /// On how many days the user was active.
    ActiveDays,
    /// The id.
    Id,
}

/// A place in a sorted list, between two users, and which way the page goes from there. Text of
/// letters, digits, `-` and `.`, so that it may stand in a URL; what it consists of is nobody else's
/// business.
///
/// It belongs to one key and holds the user's value, so a list that changes meanwhile, or a user who
/// is deleted, leaves it in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The key of the list that it is a place of.
    pub key: SortKey,
    /// Whether the page goes backwards, and ends here.
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

/// Text that is no [`Cursor`]: somebody has changed the URL.
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
    /// How many users the whole list has.
    pub count: Counted,
    /// Whether the page is shorter than asked for, though there may be more: users who match were
    /// so rare that the search for them stopped. It goes on from `next`, or from `previous` where
    /// the page was asked for backwards.
    pub is_partial: bool,
}

/// A user of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The user.
    pub user: TelegramUser,
    /// On how many UTC days the user was active.
    pub active_days: u32,
}

/// How many there are, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// So many.
    Exactly(u64),
    /// More than so many; counting stopped there.
    MoreThan(u64),
    /// About so many.
    About(u64),
}

/// All that is known of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserDetail {
    /// The user.
    pub user: TelegramUser,
    /// On how many UTC days the user was active, ever.
    pub active_days: u32,
    /// The UTC days of the last 371 (53 weeks) on which the user was active, sorted, each with the
    /// number of interactions.
    pub days: Vec<(NaiveDate, u32)>,
    /// When the user could no longer be reached, or could be again, latest first.
    pub reach_history: Vec<ReachabilityChange>,
    /// By which deep links the user came, and when, latest first.
    pub starts: Vec<(DateTime<Utc>, StartPayload)>,
    /// How the profile changed, latest first.
    pub profile_changes: Vec<ProfileChange>,
    /// What somebody has noted about the user.
    pub note: Option<Note>,
}

/// That Telegram told another name or language of a user than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileChange {
    /// When it was first told.
    pub at: DateTime<Utc>,
    /// What changed.
    pub field: ProfileField,
    /// What it was before.
    pub old: Option<String>,
    /// What it was from then on.
    pub new: Option<String>,
}

/// A part of a profile of which changes are kept.
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
    /// Every one.
    pub const ALL: [Self; 4] =
        [Self::FirstName, Self::LastName, Self::Username, Self::LanguageCode];

    /// Its name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Username => "username",
            Self::LanguageCode => "language_code",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// What it is in a user's profile.
    pub fn of(self, user: &TelegramUser) -> Option<&str> {
        match self {
            Self::FirstName => Some(&user.first_name),
            Self::LastName => user.last_name.as_deref(),
            Self::Username => user.username.as_ref().map(crate::Username::as_str),
            Self::LanguageCode => user.language_code.as_deref(),
        }
    }
}

/// What somebody has noted about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text, which is not empty.
    pub text: String,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The name of who wrote it.
    pub by: String,
}

/// That a note was written over another, or over none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteChange {
    /// What was there before.
    pub old: Option<String>,
    /// What is there now.
    pub new: Option<String>,
}

/// The most characters that a note may have.
pub const MAX_NOTE_CHARS: usize = 10_000;

/// Which level of the calendar is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateLevel {
    /// All years.
    Years,
    /// The months of the year of this day.
    Months(NaiveDate),
    /// The days of the month of this day.
    Days(NaiveDate),
}

/// How many of the users came in a year, in a month or on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodCount {
    /// The period's first day.
    pub first: NaiveDate,
    /// The period's last day.
    pub last: NaiveDate,
    /// How many of those who are there now came then.
    pub users: u64,
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
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
