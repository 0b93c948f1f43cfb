//! The directory of users: looking through them, finding some, and what is kept of one.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use rollcall_domain::{
    Clock, Cursor, DateLevel, Figure, MAX_NOTE_CHARS, NoteChange, PeriodCount, TelegramId,
    UserDetail, UserFilter, UserSlice, UserSort, month,
};
use rollcall_repository::{ActivityRepository, DirectoryRepository, MAX_PAGE_SIZE};

use crate::{Count, MAX_LABELS, ServiceError, activity::counts};

/// Looks through the users, finds some of them, and tells what is known of one. Cheap to clone.
#[derive(Clone)]
pub struct DirectoryService {
    directory: Arc<dyn DirectoryRepository>,
    activity: Arc<dyn ActivityRepository>,
    clock: Arc<dyn Clock>,
    languages: Arc<Kept>,
    sources: Arc<Kept>,
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
            languages: Arc::default(),
            sources: Arc::default(),
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
        Ok(self.directory.index_names(INDEX).await? > 0)
    }

    /// What is kept, if it is fresh, else what is read. One reads at a time; who comes meanwhile gets
    /// what there was, and waits only where there was nothing.
    async fn labels(&self, figure: Figure, kept: &Kept) -> Result<Vec<Count>, ServiceError> {
        let now = self.clock.now();
        if let Some(fresh) = kept.fresh(now) {
            return Ok(fresh);
        }
        let _turn = match (kept.turn.try_lock(), kept.last()) {
            (Ok(turn), _) => turn,
            (Err(_), Some((_, stale))) => return Ok(stale),
            (Err(_), None) => kept.turn.lock().await,
        };
        // Who had the turn before may have read it.
        if let Some(fresh) = kept.fresh(now) {
            return Ok(fresh);
        }
        let today = now.date_naive();
        let sums = self.activity.sums_by_label(&[figure], NaiveDate::default(), today).await?;
        let counts = counts(&sums, figure, MAX_LABELS);
        kept.keep(now, counts.clone());
        Ok(counts)
    }
}

/// Counts as they were read last, and the turn to read them again.
#[derive(Default)]
struct Kept {
    last: RwLock<Option<(DateTime<Utc>, Vec<Count>)>>,
    turn: tokio::sync::Mutex<()>,
}

impl Kept {
    fn last(&self) -> Option<(DateTime<Utc>, Vec<Count>)> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was read not long ago; what a clock that was set back has from the future is old.
    fn fresh(&self, now: DateTime<Utc>) -> Option<Vec<Count>> {
        let (at, counts) = self.last()?;
        (at <= now && now - at < COUNTS_ARE_FRESH).then_some(counts)
    }

    fn keep(&self, at: DateTime<Utc>, counts: Vec<Count>) {
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some((at, counts));
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
