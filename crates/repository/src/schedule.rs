use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{Game, GameUpdate, Team};

use crate::error::RepositoryError;

/// A filter for games: all from a time on, unless more is set. Withdrawn games are never included.
///
/// A game without a decided time belongs to a day of the NHL's calendar, in every time zone. Such
/// games are selected by their day, all others by their start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GameFilter {
    /// Only games that start then or later.
    pub from: DateTime<Utc>,
    /// Only games that start before this.
    pub until: Option<DateTime<Utc>>,
    /// Of games without a decided time, only those of this day or later.
    pub from_day: NaiveDate,
    /// Of games without a decided time, only those before this day.
    pub until_day: Option<NaiveDate>,
    /// Only games that are not over: running now, or still to come.
    pub only_open: bool,
    /// Only games of these teams' clubs.
    pub teams: Option<Vec<i64>>,
}

impl GameFilter {
    /// All games from a time on, or from a day on if their time is not decided.
    pub fn from(from: DateTime<Utc>, from_day: NaiveDate) -> Self {
        Self { from, until: None, from_day, until_day: None, only_open: false, teams: None }
    }

    /// Keeps the games before a time, or before a day.
    pub fn until(self, until: DateTime<Utc>, until_day: NaiveDate) -> Self {
        Self { until: Some(until), until_day: Some(until_day), ..self }
    }

    /// Keeps the games that are not over.
    pub fn only_open(self) -> Self {
        Self { only_open: true, ..self }
    }

    /// Keeps the games of these teams' clubs, under whichever of their ids.
    pub fn of_teams(self, teams: impl IntoIterator<Item = i64>) -> Self {
        Self { teams: Some(teams.into_iter().collect()), ..self }
    }
}

/// What was changed by storing games.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoredGames {
    /// How many are new.
    pub new: u64,
    /// How many have changed.
    pub changed: u64,
    /// How many were stored already.
    pub unchanged: u64,
    /// How many other games were withdrawn.
    pub withdrawn: u64,
}

/// What is fetched from the NHL periodically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// The games of the next weeks.
    Schedule,
    /// The scores of running games.
    Scores,
}

impl Refresh {
    /// The name in the table `refreshes`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Scores => "scores",
        }
    }
}

/// The right to refresh, which one process has until it ends or is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What may be refreshed.
    pub refresh: Refresh,
    /// When it ends; also distinguishes one lease from the next.
    pub until: DateTime<Utc>,
}

/// The store of games.
#[async_trait]
pub trait ScheduleRepository: Send + Sync {
    /// Stores games and their teams, all or none, in a fixed number of statements. Of several games
    /// with one id, the last counts. A withdrawn game is restored.
    async fn store(&self, games: &[Game]) -> Result<StoredGames, RepositoryError> {
        self.store_days(games, &BTreeSet::new()).await
    }

    /// Stores games as [`store`](Self::store) does; they are all games that the NHL has on these
    /// days. Other games of these days are withdrawn: they are kept, but no longer in the schedule.
    async fn store_days(
        &self,
        games: &[Game],
        days: &BTreeSet<NaiveDate>,
    ) -> Result<StoredGames, RepositoryError>;

    /// Updates the times and scores of stored games, and restores withdrawn ones; other games are
    /// ignored. Returns how many have changed.
    async fn update(&self, updates: &[GameUpdate]) -> Result<u64, RepositoryError>;

    /// Up to `limit` games, sorted by start, then by id.
    async fn games(&self, filter: &GameFilter, limit: u32) -> Result<Vec<Game>, RepositoryError>;

    /// Up to `limit` teams that play at home in a game of a regular season that starts at `since`
    /// or later, sorted by name. A [club](rollcall_domain::clubs) with several ids appears once.
    async fn teams(&self, since: DateTime<Utc>, limit: u32) -> Result<Vec<Team>, RepositoryError>;

    /// The team that represents the club of an id.
    async fn team(&self, id: i64) -> Result<Option<Team>, RepositoryError>;

    /// Takes the right to refresh until `until`, if it is free at `now` and the last refresh was
    /// before `due_before`. Of several processes that ask at once, one gets it.
    async fn begin_refresh(
        &self,
        refresh: Refresh,
        now: DateTime<Utc>,
        due_before: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Lease>, RepositoryError>;

    /// Returns the right, if it has not ended; stores `refreshed_at` as the time of the last
    /// refresh, if there was one.
    async fn end_refresh(
        &self,
        lease: Lease,
        refreshed_at: Option<DateTime<Utc>>,
    ) -> Result<(), RepositoryError>;

    /// Stores the time of a refresh that was done without the right.
    async fn note_refresh(
        &self,
        refresh: Refresh,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError>;

    /// The time of the last refresh.
    async fn refreshed_at(
        &self,
        refresh: Refresh,
    ) -> Result<Option<DateTime<Utc>>, RepositoryError>;
}
