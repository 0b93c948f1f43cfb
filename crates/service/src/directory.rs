//! The directory of users: looking through them, finding some, and what is kept of one.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta};
use rollcall_domain::{
    Clock, Cursor, DateLevel, Figure, MAX_NOTE_CHARS, NoteChange, PeriodCount, TelegramId,
    UserDetail, UserFilter, UserSlice, UserSort, month,
};
use rollcall_repository::{ActivityRepository, DirectoryRepository, MAX_PAGE_SIZE};

use crate::{Count, MAX_LABELS, ServiceError, activity::counts, cached::Cached};

/// Looks through the users, finds some of them, and tells what is known of one. Cheap to clone.
#[derive(Clone)]
pub struct DirectoryService {
    directory: Arc<dyn DirectoryRepository>,
    activity: Arc<dyn ActivityRepository>,
    clock: Arc<dyn Clock>,
    languages: Arc<Cached<Vec<Count>>>,
    sources: Arc<Cached<Vec<Count>>>,
}

impl DirectoryService {
    /// A service over `storage`.
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
            sources: Arc::new(Cached::new(COUNTS_ARE_FRESH)),
        }
    }

    /// Up to `size` (at most 1,000) of the users who meet `filter`, in the order of `sort`, from
    /// `cursor` on or from the beginning; a cursor of another order counts as none.
    ///
    /// # Errors
    /// When the storage fails.
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

    /// All that is known of a user.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn user(&self, id: TelegramId) -> Result<Option<UserDetail>, ServiceError> {
        let today = self.clock.now().date_naive();
        let since = today.checked_sub_days(Days::new(DETAIL_DAYS - 1)).unwrap_or(today);
        Ok(self.directory.user(id, since).await?)
    }

    /// Writes a note about a user in the name of `by`, or takes it away where `text` is empty.
    /// Answers what was there before; `None` where there is no such user.
    ///
    /// # Errors
    /// When the text is longer than [`MAX_NOTE_CHARS`] characters, or the storage fails.
    pub async fn set_note(
        &self,
        id: TelegramId,
        text: &str,
        by: &str,
    ) -> Result<Option<NoteChange>, ServiceError> {
        // PostgreSQL's text holds no U+0000.
        let text = text.replace('\0', "");
        if text.chars().count() > MAX_NOTE_CHARS {
            return Err(ServiceError::NoteTooLong);
        }
        Ok(self.directory.set_note(id, text.trim(), by, self.clock.now()).await?)
    }

    /// How many of the users who are there now came in each year, in each month of a year or on
    /// each day of a month, the first period first; periods in which nobody came are left out.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn date_hierarchy(&self, level: DateLevel) -> Result<Vec<PeriodCount>, ServiceError> {
        let (first, last) = match level {
            DateLevel::Years => (NaiveDate::default(), self.clock.now().date_naive()),
            DateLevel::Months(day) => year_of(day),
            DateLevel::Days(day) => month_of(day),
        };
        let sums = self.activity.sums_by_day(&[Figure::Users], first, last).await?;
        let mut counts: BTreeMap<(NaiveDate, NaiveDate), i64> = BTreeMap::new();
        for (_, day, _, users) in sums {
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

    /// The languages of most users, up to 50, those of most first; "" is none. The rest counts as
    /// `(other)`. As it was up to a minute ago: they are read for every page of the list.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn languages(&self) -> Result<Vec<Count>, ServiceError> {
        self.labels(Figure::Language, &self.languages).await
    }

    /// The deep links by which most users came, up to 50, those of most first; "" is none. The rest
    /// counts as `(other)`. As it was up to a minute ago, like the languages.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn sources(&self) -> Result<Vec<Count>, ServiceError> {
        self.labels(Figure::SourceNew, &self.sources).await
    }

    /// Takes the names of new users, and changed ones, into the search, a small part at a time;
    /// answers whether there may be more.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn index_names(&self) -> Result<bool, ServiceError> {
        let taken = self.directory.index_names(INDEX).await?;
        Ok(u32::try_from(taken).is_ok_and(|taken| taken >= INDEX))
    }

    /// What is kept of a figure, or else is read.
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

/// How long the numbers of languages and deep links are kept before they are read again: at ten
/// million users that takes 33 ms.
const COUNTS_ARE_FRESH: TimeDelta = TimeDelta::minutes(1);

/// Of how many days the activity of one user is told: 53 weeks, for a calendar of a year.
const DETAIL_DAYS: u64 = 371;
/// How many names go into the search at once: few, for on SQLite nobody registers meanwhile.
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
