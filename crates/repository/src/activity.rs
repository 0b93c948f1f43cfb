use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    ActiveDay, CommandUse, Figure, Label, LabelName, ReachabilityChange, SegmentSize, StartPayload,
    TelegramId, TelegramUser,
};

use crate::error::RepositoryError;

/// The figures about the activity of all users, which are stored as sums. The time to read them
/// depends on the number of days, not of users.
#[async_trait]
pub trait ActivityRepository: Send + Sync {
    /// The sums of `figures` for each day from `first` to `last`, both included, and each label;
    /// sorted by figure, day and label. Zeros may be left out.
    async fn sums_by_day(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<DaySum>, RepositoryError>;

    /// The sums of `figures` over the days from `first` to `last`, both included, for each label;
    /// sorted by figure, then the largest first, then by label.
    async fn sums_by_label(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<LabelSum>, RepositoryError>;

    /// The sums of `figures`, none of which is by source, over all days up to `last`, included, and
    /// all labels; in the order of `figures`.
    async fn totals(
        &self,
        figures: &[Figure],
        last: NaiveDate,
    ) -> Result<Vec<i64>, RepositoryError>;

    /// The interactions of each minute from that of `first` on, sorted, for the last hour. Minutes
    /// without any may be left out. A minute is a time whose seconds are zero.
    async fn minutes(
        &self,
        first: DateTime<Utc>,
    ) -> Result<Vec<(DateTime<Utc>, i64)>, RepositoryError>;

    /// The first day on which a user was active; `None` if there is none.
    async fn first_day(&self) -> Result<Option<NaiveDate>, RepositoryError>;

    /// Leaves these users, and no others, out of the sums from now on. They need not exist yet. What
    /// they counted in the sums about the past stays. Users that were left out before, and are not
    /// now, count again with everything that is stored about them.
    async fn leave_out(&self, users: &BTreeSet<TelegramId>) -> Result<(), RepositoryError>;

    /// Counts all sums again from the facts about the users, and returns the sums that differ. With
    /// `mend` it corrects them. Registration goes on meanwhile.
    ///
    /// `progress` is called from time to time with how many users have been counted, and how many
    /// there are.
    async fn recount(
        &self,
        mend: bool,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<Vec<Difference>, RepositoryError>;
}

/// The sum of a figure on a day, with a label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DaySum {
    /// The figure.
    pub figure: Figure,
    /// The day.
    pub day: NaiveDate,
    /// The label, "" for figures without labels.
    pub label: String,
    /// The sum.
    pub value: i64,
}

/// The sum of a figure over some days, with a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSum {
    /// The figure.
    pub figure: Figure,
    /// The label, "" for figures without labels.
    pub label: String,
    /// The sum.
    pub value: i64,
}

/// A sum that differs from the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The figure.
    pub figure: Figure,
    /// The day.
    pub day: NaiveDate,
    /// The label.
    pub label: String,
    /// The stored value.
    pub stored: i64,
    /// The counted value.
    pub counted: i64,
}

/// A user with its whole history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The user.
    pub user: TelegramUser,
    /// The UTC days of activity, sorted, each with its number of interactions. The day of
    /// `created_at` is one of them, and that of `last_seen` the last.
    pub days: Vec<(ActiveDay, u32)>,
    /// When the user became unreachable, or reachable again; each at another time.
    pub reach_changes: Vec<ReachabilityChange>,
    /// The deep links that the user came by, and when; each at another time.
    pub starts: Vec<(DateTime<Utc>, StartPayload)>,
    /// The commands and buttons that the user used, each once.
    pub uses: Vec<CommandUse>,
}

impl History {
    /// Fake users have larger ids than this, which no account of Telegram has. So no real user is
    /// mistaken for one, or deleted with them.
    pub const REAL_IDS_END: i64 = 4_000_000_000_000_000;
}

/// A count of commands, or of interactions of a kind or in an hour, on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseCount {
    /// The figure that counts it.
    pub figure: Figure,
    /// The day.
    pub day: NaiveDate,
    /// The label, such as the name of the command.
    pub label: Label,
    /// The count.
    pub count: i64,
}

/// The storage of fake users, whose ids are above [`History::REAL_IDS_END`].
#[async_trait]
pub trait DemoRepository: Send + Sync {
    /// Empties the database if it has only fake users, and marks it as a demo. Returns whether it
    /// did; if not, nothing was changed.
    async fn begin_demo(&self) -> Result<bool, RepositoryError>;

    /// Stores users in one transaction, with what they count in each figure. No user with one of
    /// their ids or usernames may exist.
    async fn load(&self, people: Arc<[History]>) -> Result<(), RepositoryError>;

    /// Adds to the figures that are not counted from users.
    async fn count_uses(&self, uses: &[UseCount]) -> Result<(), RepositoryError>;

    /// Stores the interactions of minutes of the last hour; see [`ActivityRepository::minutes`]. The
    /// database must not have any yet.
    async fn count_minutes(&self, minutes: &[(DateTime<Utc>, i64)]) -> Result<(), RepositoryError>;

    /// Stores sizes of segments on past days, in place of those that they had then.
    async fn load_segment_sizes(
        &self,
        sizes: &[(LabelName, SegmentSize)],
    ) -> Result<(), RepositoryError>;
}
