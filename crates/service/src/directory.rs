//! The directory of users: lists, search, and the details of one user.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta};
use rollcall_domain::{
    Clock, Counted, Cursor, DateLevel, Figure, MAX_NOTE_CHARS, NoteChange, PeriodCount,
    ReachabilityFilter, Selection, TelegramId, UserDetail, UserFilter, UserSlice, UserSort, month,
};
use rollcall_repository::{ActivityRepository, DaySum, DirectoryRepository, MAX_PAGE_SIZE};

use crate::{
    Count, JustNow, MAX_LABELS, ServiceError,
    activity::counts,
    cached::Cached,
    just_now::{first_minute, minutes},
};

/// Lists and finds users, and shows the details of one. Cheap to clone.
#[derive(Clone)]
pub struct DirectoryService {
    directory: Arc<dyn DirectoryRepository>,
    activity: Arc<dyn ActivityRepository>,
    clock: Arc<dyn Clock>,
    languages: Arc<Cached<Vec<Count>>>,
    facets: Arc<Cached<Facets>>,
    sources: Arc<Cached<Vec<Count>>>,
}

impl DirectoryService {
    /// Creates a service over `storage`.
    pub fn new(
        storage: impl DirectoryRepository + ActivityRepository + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        let storage = Arc::new(storage);
        Self {
            directory: storage.clone(),
            activity: storage,
            clock: Arc::new(clock),
            languages: Arc::new(Cached::new(COUNTS_ARE_FRESH)),
            facets: Arc::new(Cached::new(COUNTS_ARE_FRESH)),
            sources: Arc::new(Cached::new(COUNTS_ARE_FRESH)),
        }
    }

    /// Returns up to `size` (at most 1,000) users that match `filter`, sorted by `sort`. The page
    /// begins at `cursor`, or at the start of the list. A cursor of another sort key is ignored.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn users(
        &self,
        filter: &UserFilter,
        sort: UserSort,
        cursor: Option<Cursor>,
        size: u32,
    ) -> Result<UserSlice, ServiceError> {
        let size = size.clamp(1, MAX_PAGE_SIZE);
        Ok(self.directory.users(filter, sort, cursor, size).await?)
    }

    /// The interactions of the last hour by minute, and up to `newest` (at most 1,000) users who
    /// joined last. Reads a few rows, whatever the number of users.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn just_now(&self, newest: u32) -> Result<JustNow, ServiceError> {
        let first = first_minute(self.clock.now());
        let filter = UserFilter::default();
        let (sums, users) = tokio::try_join!(
            self.activity.minutes(first),
            self.directory.users(
                &filter,
                UserSort::default(),
                None,
                newest.clamp(1, MAX_PAGE_SIZE)
            ),
        )?;
        Ok(JustNow { minutes: minutes(first, sums), newest: users.rows })
    }

    /// Returns everything that is stored about a user.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn user(&self, id: TelegramId) -> Result<Option<UserDetail>, ServiceError> {
        let today = self.clock.now().date_naive();
        let since = today.checked_sub_days(Days::new(DETAIL_DAYS - 1)).unwrap_or(today);
        Ok(self.directory.user(id, since).await?)
    }

    /// Sets the note about a user, written by `by`, or removes it if `text` is empty. Returns the
    /// change; `None` if there is no such user.
    ///
    /// # Errors
    /// If the text is longer than [`MAX_NOTE_CHARS`] characters, or the storage fails.
    pub async fn set_note(
        &self,
        id: TelegramId,
        text: &str,
        by: &str,
    ) -> Result<Option<NoteChange>, ServiceError> {
        // PostgreSQL cannot store U+0000.
        let text = text.replace('\0', "");
        if text.chars().count() > MAX_NOTE_CHARS {
            return Err(ServiceError::NoteTooLong);
        }
        Ok(self.directory.set_note(id, text.trim(), by, self.clock.now()).await?)
    }

    /// Counts the current users by when they joined: in each year, in each month of a year or on
    /// each day of a month, in order. Periods without any are left out.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn date_hierarchy(&self, level: DateLevel) -> Result<Vec<PeriodCount>, ServiceError> {
        let (first, last) = match level {
            DateLevel::Years => (NaiveDate::default(), self.clock.now().date_naive()),
            DateLevel::Months(day) => year_of(day),
            DateLevel::Days(day) => month_of(day),
        };
        let sums = self.activity.sums_by_day(&[Figure::Users], first, last).await?;
        let mut counts: BTreeMap<(NaiveDate, NaiveDate), i64> = BTreeMap::new();
        for DaySum { day, value: users, .. } in sums {
            let period = match level {
                DateLevel::Years => year_of(day),
                DateLevel::Months(_) => month_of(day),
                DateLevel::Days(_) => (day, day),
            };
            *counts.entry(period).or_default() += users;
        }
        let count = |((first, last), users): ((NaiveDate, NaiveDate), i64)| {
            let users = u64::try_from(users).unwrap_or_default();
            (users > 0).then_some(PeriodCount { first, last, users })
        };
        Ok(counts.into_iter().filter_map(count).collect())
    }

    /// The 50 most common languages with their number of users, the most common first. "" stands
    /// for an unknown language, and `(other)` for the rest. The counts are cached for a minute,
    /// because every page of the list shows them.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn languages(&self) -> Result<Vec<Count>, ServiceError> {
        self.labels(Figure::Language, &self.languages).await
    }

    /// The 50 deep links by which most users joined, with their number of users, the largest first.
    /// "" stands for no deep link, and `(other)` for the rest. Cached for a minute like the
    /// languages.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn sources(&self) -> Result<Vec<Count>, ServiceError> {
        self.labels(Figure::SourceNew, &self.sources).await
    }

    /// Counts all users by state and by kind of account. Cached for a minute like the languages.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn facets(&self) -> Result<Facets, ServiceError> {
        let count = async |filter| {
            self.directory.count_up_to(&Selection::from(&filter), COUNTED_FACET).await
        };
        let of_state = |state| UserFilter::new().with_reachability(state);
        let read = async || {
            let bots = count(UserFilter::new().bots(true)).await?;
            let users = count(UserFilter::new()).await?;
            Ok(Facets {
                reachable: count(of_state(ReachabilityFilter::Reachable)).await?,
                unreachable: count(of_state(ReachabilityFilter::Unreachable)).await?,
                blocked: count(of_state(ReachabilityFilter::Blocked)).await?,
                people: without(users, bots),
                bots,
            })
        };
        self.facets.get(self.clock.now(), read).await
    }

    /// Adds some new and changed names to the search index. Returns whether there may be more.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn index_names(&self) -> Result<bool, ServiceError> {
        let taken = self.directory.index_names(INDEX).await?;
        Ok(u32::try_from(taken).is_ok_and(|taken| taken >= INDEX))
    }

    /// The cached counts of a figure, or new ones from the storage.
    async fn labels(
        &self,
        figure: Figure,
        cached: &Cached<Vec<Count>>,
    ) -> Result<Vec<Count>, ServiceError> {
        let now = self.clock.now();
        let read = async || {
            let today = now.date_naive();
            let sums = self.activity.sums_by_label(&[figure], NaiveDate::default(), today).await?;
            Ok(counts(&sums, figure, MAX_LABELS))
        };
        cached.get(now, read).await
    }
}

/// How many users there are in each state and of each kind of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facets {
    /// Users that the bot can write to.
    pub reachable: Counted,
    /// Users that it cannot write to.
    pub unreachable: Counted,
    /// Users who blocked it.
    pub blocked: Counted,
    /// Accounts of people; `None` if there are too many bots to count.
    pub people: Option<Counted>,
    /// Accounts of bots.
    pub bots: Counted,
}

/// Users without some of them, if both numbers are exact.
fn without(users: Counted, some: Counted) -> Option<Counted> {
    match (users, some) {
        (Counted::Exactly(users), Counted::Exactly(some)) => {
            Some(Counted::Exactly(users.saturating_sub(some)))
        }
        _ => None,
    }
}

/// Up to how many users a facet is counted that no sum shows.
const COUNTED_FACET: u32 = 10_000;

/// How long counts of languages and deep links are cached. With ten million users, reading them
/// takes 33 ms.
const COUNTS_ARE_FRESH: TimeDelta = TimeDelta::minutes(1);

/// The number of days whose activity is shown for one user: 53 weeks, for a calendar of a year.
const DETAIL_DAYS: u64 = 371;
/// How many names are added to the search index at once. The number is small, because on SQLite no
/// user can be registered meanwhile.
const INDEX: u32 = 250;

fn year_of(day: NaiveDate) -> (NaiveDate, NaiveDate) {
    let first = NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(day);
    (first, NaiveDate::from_ymd_opt(day.year(), 12, 31).unwrap_or(day))
}

fn month_of(day: NaiveDate) -> (NaiveDate, NaiveDate) {
    let first = month(day);
    let next = first.checked_add_months(Months::new(1));
    (first, next.and_then(|next| next.pred_opt()).unwrap_or(day))
}
