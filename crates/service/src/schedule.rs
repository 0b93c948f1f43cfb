//! The schedule of the NHL: what people see of it, and when it is to be fetched again.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{Clock, Game, GameUpdate, Team};
use rollcall_repository::{GameFilter, Lease, Refresh, ScheduleRepository, StoredGames};

use crate::{
    ServiceError,
    kept::Kept,
    local_days::{day_of, day_start, next_day, next_monday},
};

/// How many games are shown of those to come.
const NEXT_GAMES: u32 = 10;
/// How many games are shown of some days; the NHL has up to sixteen a day.
const GAMES_OF_DAYS: u32 = 120;
/// How many teams are told; the NHL has 32.
const MAX_TEAMS: u32 = 64;
/// The longest that a game takes, with every overtime that there ever was.
const LONGEST_GAME: TimeDelta = TimeDelta::hours(8);
/// How long before its start a game counts as being on, for its score to be fetched in time.
const EARLY: TimeDelta = TimeDelta::minutes(5);
/// A game that begins so early in the day of New York may belong to the evening before, in the west.
const LATE: TimeDelta = TimeDelta::hours(6);
/// A team has its games of this and of the last season.
const SEASON: TimeDelta = TimeDelta::days(365);
/// How many games are looked at for whether one is on.
const MAX_GAMES_ON: u32 = 64;
/// How long the next games are given out before they are read again: nearly everybody asks for
/// them, and they are the same for all.
const FRESH: TimeDelta = TimeDelta::seconds(1);
/// Where the NHL counts its days.
const NHL_ZONE: Tz = Tz::America__New_York;

/// Shows the schedule, and keeps it. Cheap to clone.
#[derive(Clone)]
pub struct ScheduleService {
    storage: Arc<dyn ScheduleRepository>,
    clock: Arc<dyn Clock>,
    next: Arc<Kept<Arc<Games>>>,
}

/// Games, and when the schedule was fetched.
struct Games {
    games: Vec<Game>,
    refreshed_at: Option<DateTime<Utc>>,
}

/// What somebody wants to see of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleView {
    /// The next ten games, with those that are on.
    Next,
    /// The games of today.
    Today,
    /// The games of tomorrow.
    Tomorrow,
    /// The games from today until Sunday.
    Week,
    /// The next ten games of a team.
    Team(i64),
    /// The next ten games of the favourite teams.
    Favourites,
}

/// The games that somebody wanted to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The days on which there are games, in order.
    pub days: Vec<ScheduleDay>,
    /// The day that it is now.
    pub today: NaiveDate,
    /// Since when the schedule has not been fetched, if that is long.
    pub outdated_since: Option<DateTime<Utc>>,
}

/// The games of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleDay {
    /// The day, in the time zone that was asked for.
    pub day: NaiveDate,
    /// Its games, in the order in which they begin.
    pub games: Vec<Game>,
}

impl ScheduleService {
    /// The age from which a schedule is told to be old.
    pub const OLD: TimeDelta = TimeDelta::days(1);

    /// A service over `storage`.
    pub fn new(storage: impl ScheduleRepository + 'static, clock: impl Clock + 'static) -> Self {
        Self {
            storage: Arc::new(storage),
            clock: Arc::new(clock),
            next: Arc::new(Kept::new(FRESH)),
        }
    }

    /// The games that somebody in a time zone, with these favourite teams, wants to see. The next
    /// games are as they were up to two seconds ago, where another process stores them.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn schedule(
        &self,
        view: ScheduleView,
        zone: Tz,
        favourites: &BTreeSet<i64>,
    ) -> Result<Schedule, ServiceError> {
        let now = self.clock.now();
        let today = day_of(zone, now);
        let days = |first: NaiveDate, after: NaiveDate| {
            let filter = GameFilter::from(day_start(zone, first)).until(day_start(zone, after));
            (filter, GAMES_OF_DAYS)
        };
        // A game that is on has begun before.
        let open = || GameFilter::from(now - LONGEST_GAME).only_open();
        let (filter, limit) = match view {
            ScheduleView::Next => (open(), NEXT_GAMES),
            ScheduleView::Today => days(today, next_day(today)),
            ScheduleView::Tomorrow => days(next_day(today), next_day(next_day(today))),
            ScheduleView::Week => days(today, next_monday(today)),
            ScheduleView::Team(team) => (open().of_teams([team]), NEXT_GAMES),
            ScheduleView::Favourites => (open().of_teams(favourites.clone()), NEXT_GAMES),
        };
        let read = async || {
            let games = self.storage.games(&filter, limit).await?;
            let refreshed_at = self.storage.refreshed_at(Refresh::Schedule).await?;
            Ok(Arc::new(Games { games, refreshed_at }))
        };
        let games = match view {
            ScheduleView::Next => self.next.get(now, read).await?,
            _ => read().await?,
        };
        Ok(Schedule {
            days: by_day(&games.games, zone),
            today,
            outdated_since: games.refreshed_at.filter(|at| now - *at > Self::OLD),
        })
    }

    /// The teams of the season, by name.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn teams(&self) -> Result<Vec<Team>, ServiceError> {
        Ok(self.storage.teams(self.clock.now() - SEASON, MAX_TEAMS).await?)
    }

    /// Stores games that were fetched; says what that has changed.
    ///
    /// # Errors
    /// When the storage fails; then nothing is stored.
    pub async fn store(&self, games: &[Game]) -> Result<StoredGames, ServiceError> {
        if games.is_empty() {
            return Ok(StoredGames::default());
        }
        let stored = self.storage.store(games).await?;
        self.next.forget();
        Ok(stored)
    }

    /// Notes how games stand; answers of how many that has changed.
    ///
    /// # Errors
    /// When the storage fails; then nothing is stored.
    pub async fn update(&self, updates: &[GameUpdate]) -> Result<u64, ServiceError> {
        if updates.is_empty() {
            return Ok(0);
        }
        let changed = self.storage.update(updates).await?;
        self.next.forget();
        Ok(changed)
    }

    /// The right to refresh, where that is due and nobody else is at it.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn begin_refresh(&self, refresh: Refresh) -> Result<Option<Lease>, ServiceError> {
        let now = self.clock.now();
        let (every, lasts) = match refresh {
            Refresh::Schedule => (TimeDelta::hours(6), TimeDelta::minutes(20)),
            Refresh::Scores => (TimeDelta::minutes(2), TimeDelta::minutes(5)),
        };
        // Looked at first, so that what is not due, which is nearly always, writes nothing.
        let last = self.storage.refreshed_at(refresh).await?;
        if last.is_some_and(|last| last >= now - every) {
            return Ok(None);
        }
        Ok(self.storage.begin_refresh(refresh, now, now - every, now + lasts).await?)
    }

    /// Gives the right back; notes that there was a refresh, where it `succeeded`.
    ///
    /// # Errors
    /// When the storage fails; then the right ends by itself, later.
    pub async fn end_refresh(&self, lease: Lease, succeeded: bool) -> Result<(), ServiceError> {
        let at = succeeded.then(|| self.clock.now());
        self.storage.end_refresh(lease, at).await?;
        self.next.forget();
        Ok(())
    }

    /// Notes that the schedule has just been fetched by somebody.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn note_refresh(&self) -> Result<(), ServiceError> {
        self.storage.note_refresh(Refresh::Schedule, self.clock.now()).await?;
        self.next.forget();
        Ok(())
    }

    /// The day that it is for the NHL.
    pub fn nhl_today(&self) -> NaiveDate {
        day_of(NHL_ZONE, self.clock.now())
    }

    /// The days of the games that are on, as the NHL counts days.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn days_of_games_on(&self) -> Result<BTreeSet<NaiveDate>, ServiceError> {
        let now = self.clock.now();
        let filter = GameFilter::from(now - LONGEST_GAME).until(now + EARLY).only_open();
        let games = self.storage.games(&filter, MAX_GAMES_ON).await?;
        let days =
            |game: &Game| [game.starts_at, game.starts_at - LATE].map(|at| day_of(NHL_ZONE, at));
        Ok(games.iter().flat_map(days).collect())
    }
}

/// Groups games, which are in the order in which they begin, by the days of a time zone.
fn by_day(games: &[Game], zone: Tz) -> Vec<ScheduleDay> {
    let mut days: Vec<ScheduleDay> = Vec::new();
    for game in games {
        let day = day_of(zone, game.starts_at);
        match days.last_mut() {
            Some(last) if last.day == day => last.games.push(game.clone()),
            _ => days.push(ScheduleDay { day, games: vec![game.clone()] }),
        }
    }
    days
}
