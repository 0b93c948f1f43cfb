use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{Figure, ReachabilityChange, StartPayload, TelegramUser};

use crate::RepositoryError;

/// The figures about the activity of all users, which are kept as sums. Reading them takes as long
/// as there are days to read, however many users there are.
#[async_trait]
pub trait ActivityRepository: Send + Sync {
    /// The sums of `figures` for each day from `first` to `last`, both included, and each label:
    /// figure, day, label, value; ordered by these. What is zero may be left out.
    async fn sums_by_day(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<(Figure, NaiveDate, String, i64)>, RepositoryError>;

    /// The sums of `figures` over the days from `first` to `last`, both included, for each label:
    /// figure, label, value; ordered by figure, then the largest first, then by label.
    async fn sums_by_label(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<(Figure, String, i64)>, RepositoryError>;

    /// The sums of `figures`, of which none is by source, over all days up to `last`, itself included,
    /// and all labels, in the order of `figures`.
    async fn totals(
        &self,
        figures: &[Figure],
        last: NaiveDate,
    ) -> Result<Vec<i64>, RepositoryError>;

    /// Counts everything again from what is known of the users, and answers the sums that are not
    /// what they should be. With `mend` it puts them right. Registration goes on meanwhile.
    ///
    /// `progress` is called now and then with how many users have been counted, and how many there
    /// are.
    async fn recount(
        &self,
        mend: bool,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<Vec<Difference>, RepositoryError>;
}

/// A sum that is not what the facts give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which figure.
    pub figure: Figure,
    /// Of which day.
    pub day: NaiveDate,
    /// With which label.
    pub label: String,
    /// What is stored.
    pub stored: i64,
    /// What it should be.
    pub counted: i64,
}

/// A user with all its past, as somebody else knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The user as it stands.
    pub user: TelegramUser,
    /// The UTC days of its activity, sorted, each with the number of interactions on it. The day of
    /// `created_at` is one of them, and that of `last_seen` the last one.
    pub days: Vec<(NaiveDate, u32)>,
    /// When the user could no longer be reached, or could be again; each at another time.
    pub reach_changes: Vec<ReachabilityChange>,
    /// By which deep links the user came, and when; each at another time.
    pub starts: Vec<(DateTime<Utc>, StartPayload)>,
}

impl History {
    /// Whoever is made up has a larger id than this, which no account has: nobody real is taken for
    /// one of them, or goes away with them.
    pub const REAL_IDS_END: i64 = 4_000_000_000_000_000;
}

/// The storage of people who are made up, whose ids are larger than [`History::REAL_IDS_END`].
#[async_trait]
pub trait DemoRepository: Send + Sync {
    /// Empties the database, if nobody is in it but people who were made up, and notes that whoever
    /// comes into it is. Answers whether it was so; if not, nothing was changed.
    async fn begin_demo(&self) -> Result<bool, RepositoryError>;

    /// Stores people in one transaction, with their share in every figure. Nobody with their ids or
    /// usernames may be there.
    async fn load(&self, people: Arc<[History]>) -> Result<(), RepositoryError>;

    /// Adds to the figures that are facts themselves: figure, day, label, value.
    async fn count_uses(
        &self,
        uses: &[(Figure, NaiveDate, &'static str, i64)],
    ) -> Result<(), RepositoryError>;
}
