use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{Game, GameUpdate, Team};

use crate::RepositoryError;

/// Which games are wanted: all from a time on, unless it is told what to keep. Those that were
/// withdrawn are never wanted.
///
/// A game without a decided time is no moment but a day, the NHL's own, in every time zone: such
/// games are chosen by their day, all others by their start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GameFilter {
    /// Only those that begin then or later.
    pub from: DateTime<Utc>,
    /// Only those that begin before this.
    pub until: Option<DateTime<Utc>>,
    /// Of those without a decided time, only those of this day or later.
    pub from_day: NaiveDate,
    /// Of those without a decided time, only those of a day before this.
    pub until_day: Option<NaiveDate>,
    /// Only those that are being played or still will be when their time comes.
    pub only_open: bool,
    /// Only those of one of these teams' clubs.
    pub teams: Option<Vec<i64>>,
}

impl GameFilter {
    /// Every game from a time on, or from a day on where its time is not decided.
    pub fn from(from: DateTime<Utc>, from_day: NaiveDate) -> Self {
        Self { from, until: None, from_day, until_day: None, only_open: false, teams: None }
    }

    /// Keeps the games before a time, or before a day.
    pub fn until(self, until: DateTime<Utc>, until_day: NaiveDate) -> Self {
        Self { until: Some(until), until_day: Some(until_day), ..self }
    }

    /// Keeps the games that are being played or still will be.
    pub fn only_open(self) -> Self {
        Self { only_open: true, ..self }
    }

    /// Keeps the games of these teams' clubs, under whichever of their ids.
    pub fn of_teams(self, teams: impl IntoIterator<Item = i64>) -> Self {
        Self { teams: Some(teams.into_iter().collect()), ..self }
    }
}

/// What storing games has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredGames {
    /// How many were not there before.
    pub new: u64,
    /// How many are not as they were.
    pub changed: u64,
    /// How many were there as they are.
    pub unchanged: u64,
    /// How many others were withdrawn.
    pub withdrawn: u64,
}

/// What is refreshed from the NHL by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// The games of the next weeks.
    Schedule,
    /// How the games of the moment stand.
    Scores,
}

impl Refresh {
    /// The name that its state is stored under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Scores => "scores",
        }
    }
}

/// The right to refresh: nobody else has it until it ends or is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What for.
    pub refresh: Refresh,
    /// When it ends; tells one lease from the next.
    pub until: DateTime<Utc>,
}

/// The store of games.
#[async_trait]
pub trait ScheduleRepository: Send + Sync {
    /// Stores games and their teams, all or none, in a fixed number of statements. Of several games
    /// with one id, the last one counts. One that was withdrawn is back.
    async fn store(&self, games: &[Game]) -> Result<StoredGames, RepositoryError> {
        self.store_days(games, &BTreeSet::new()).await
    }

    /// Stores games like [`store`](Self::store), which are all that the NHL has on these days. Other
    /// games of these days are withdrawn: they are kept, but no longer in the schedule.
    async fn store_days(
        &self,
        games: &[Game],
        days: &BTreeSet<NaiveDate>,
    ) -> Result<StoredGames, RepositoryError>;

    /// Notes how games stand; those that are not stored are left out, and those that were withdrawn
    /// are back. Answers how many have changed.
    async fn update(&self, updates: &[GameUpdate]) -> Result<u64, RepositoryError>;

    /// Up to `limit` games, in the order in which they begin, and by id where that is equal.
    async fn games(&self, filter: &GameFilter, limit: u32) -> Result<Vec<Game>, RepositoryError>;

    /// Up to `limit` teams that play at home in a game of a regular season that begins at
    /// `since` or later, by name; of a [club](rollcall_domain::clubs) with several ids, the one that
    /// it goes by.
    async fn teams(&self, since: DateTime<Utc>, limit: u32) -> Result<Vec<Team>, RepositoryError>;

    /// The team that the club of an id goes by.
    async fn team(&self, id: i64) -> Result<Option<Team>, RepositoryError>;

    /// Takes the right to refresh until `until`, where nobody has it at `now` and the last refresh
    /// was before `due_before`. Of several who ask at once, one gets it.
    async fn begin_refresh(
        &self,
        refresh: Refresh,
        now: DateTime<Utc>,
        due_before: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Lease>, RepositoryError>;

    /// Gives the right back, if it is still had; notes `refreshed_at` as the time of the last
    /// refresh, if there was one.
    async fn end_refresh(
        &self,
        lease: Lease,
        refreshed_at: Option<DateTime<Utc>>,
    ) -> Result<(), RepositoryError>;

    /// Notes that what there is was fetched at a time, without having had the right to it.
    async fn note_refresh(
        &self,
        refresh: Refresh,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError>;

    /// When there was a refresh last.
    async fn refreshed_at(
        &self,
        refresh: Refresh,
    ) -> Result<Option<DateTime<Utc>>, RepositoryError>;
}
