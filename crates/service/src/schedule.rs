//! The schedule of the NHL: what users see, and when it is fetched again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    Clock, Game, GameState, GameUpdate, NHL_ZONE, Team, day_of, day_start, next_day, next_monday,
};
use rollcall_repository::{GameFilter, Lease, Refresh, ScheduleRepository, StoredGames};

use crate::{ServiceError, cached::Cached};

/// How many of the next games are shown.
const NEXT_GAMES: u32 = 10;
/// The most games of a range of days; the NHL has up to sixteen a day.
const GAMES_OF_DAYS: u32 = 120;
/// The most teams that are listed; the NHL has 32.
const MAX_TEAMS: u32 = 64;
/// The longest possible game, with more overtime than there ever was.
const LONGEST_GAME: TimeDelta = TimeDelta::hours(8);
/// A game counts as in progress this long before its start, so that its score is fetched in time.
const EARLY: TimeDelta = TimeDelta::minutes(5);
/// How long after its start the score of a finished game may still be corrected.
const CORRECTED: TimeDelta = TimeDelta::hours(4);
/// How far the last time zone is behind UTC. A day that is over there is over everywhere.
const LAST_ZONE: TimeDelta = TimeDelta::hours(12);
/// The most games without a decided time whose day is over in one time zone but not in another.
const GAMES_OVER_SOMEWHERE: u32 = 32;
/// Only teams with a game in this time are listed.
const SEASON: TimeDelta = TimeDelta::days(365);
/// The most games that are checked for being in progress.
const MAX_GAMES_ON: u32 = 64;
/// How long the next games are cached. Nearly all users request them, and they are the same for
/// all.
const FRESH: TimeDelta = TimeDelta::seconds(1);

/// Stores the schedule and answers what users want to see of it. Cheap to clone.
#[derive(Clone)]
pub struct ScheduleService {
    storage: Arc<dyn ScheduleRepository>,
    clock: Arc<dyn Clock>,
    next: Arc<Cached<Arc<Games>>>,
}

/// Games, and when the schedule was fetched.
struct Games {
    games: Vec<Game>,
    refreshed_at: Option<DateTime<Utc>>,
}

/// The part of the schedule that a user wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleView {
    /// The next ten games, including those in progress.
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

/// The games for one view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The days with games, in order.
    pub days: Vec<ScheduleDay>,
    /// The current day in the user's time zone.
    pub today: NaiveDate,
    /// The requested team, with its current name.
    pub team: Option<Team>,
    /// The time of the last fetch, if it is older than [`ScheduleService::OLD`].
    pub outdated_since: Option<DateTime<Utc>>,
}

/// The games of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleDay {
    /// The day in the user's time zone; for games without a decided time, in the NHL's.
    pub day: NaiveDate,
    /// Its games by start time. Games without a decided time come last.
    pub games: Vec<Game>,
}

impl ScheduleService {
    /// The age from which a schedule is shown as outdated.
    pub const OLD: TimeDelta = TimeDelta::days(1);

    /// Creates a service over `storage`.
    pub fn new(storage: impl ScheduleRepository + 'static, clock: impl Clock + 'static) -> Self {
        Self {
            storage: Arc::new(storage),
            clock: Arc::new(clock),
            next: Arc::new(Cached::new(FRESH)),
        }
    }

    /// Returns the games of a view, for a user with this time zone and these favourite teams. The
    /// next games may be up to two seconds old if another process stores them.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn schedule(
        &self,
        view: ScheduleView,
        zone: Tz,
        favourites: &BTreeSet<i64>,
    ) -> Result<Schedule, ServiceError> {
        let now = self.clock.now();
        let today = day_of(zone, now);
        let days = |first: NaiveDate, after: NaiveDate| {
            GameFilter::from(day_start(zone, first), first).until(day_start(zone, after), after)
        };
        // A game in progress has begun before now.
        let open =
            || GameFilter::from(now - LONGEST_GAME, (now - LAST_ZONE).date_naive()).only_open();
        let filter = match view {
            ScheduleView::Next => open(),
            ScheduleView::Today => days(today, next_day(today)),
            ScheduleView::Tomorrow => days(next_day(today), next_day(next_day(today))),
            ScheduleView::Week => days(today, next_monday(today)),
            ScheduleView::Team(team) => open().of_teams([team]),
            ScheduleView::Favourites => open().of_teams(favourites.clone()),
        };
        let limit = match filter.only_open {
            true => NEXT_GAMES + GAMES_OVER_SOMEWHERE,
            false => GAMES_OF_DAYS,
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
        let team = match view {
            ScheduleView::Team(id) => self.storage.team(id).await?,
            _ => None,
        };
        let days = match filter.only_open {
            true => by_day(next_games(&games.games, today.min(self.nhl_today())), zone),
            false => by_day(games.games.iter(), zone),
        };
        Ok(Schedule {
            days,
            today,
            team,
            outdated_since: games.refreshed_at.filter(|at| now - *at > Self::OLD),
        })
    }

    /// The teams of the season, by name.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn teams(&self) -> Result<Vec<Team>, ServiceError> {
        Ok(self.storage.teams(self.clock.now() - SEASON, MAX_TEAMS).await?)
    }

    /// Stores games, and returns what changed.
    ///
    /// # Errors
    /// If the storage fails. Nothing is stored then.
    pub async fn store(&self, games: &[Game]) -> Result<StoredGames, ServiceError> {
        self.store_days(games, &BTreeSet::new()).await
    }

    /// Stores games, which must be all games of the NHL on these days: other games of these days
    /// are withdrawn. Returns what changed.
    ///
    /// # Errors
    /// If the storage fails. Nothing is stored then.
    pub async fn store_days(
        &self,
        games: &[Game],
        days: &BTreeSet<NaiveDate>,
    ) -> Result<StoredGames, ServiceError> {
        if games.is_empty() && days.is_empty() {
            return Ok(StoredGames::default());
        }
        let stored = self.storage.store_days(games, days).await?;
        self.next.forget();
        Ok(stored)
    }

    /// Updates the states and scores of games, and returns how many changed.
    ///
    /// # Errors
    /// If the storage fails. Nothing is stored then.
    pub async fn update(&self, updates: &[GameUpdate]) -> Result<u64, ServiceError> {
        if updates.is_empty() {
            return Ok(0);
        }
        let changed = self.storage.update(updates).await?;
        self.next.forget();
        Ok(changed)
    }

    /// Takes the lease for a refresh, if one is due and no other process holds the lease.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn begin_refresh(&self, refresh: Refresh) -> Result<Option<Lease>, ServiceError> {
        let now = self.clock.now();
        let (every, lasts) = match refresh {
            Refresh::Schedule => (TimeDelta::hours(6), TimeDelta::minutes(20)),
            Refresh::Scores => (TimeDelta::minutes(2), TimeDelta::minutes(5)),
        };
        // Check first with a read, because a refresh is hardly ever due, and the next step writes.
        let last = self.storage.refreshed_at(refresh).await?;
        if last.is_some_and(|last| last >= now - every) {
            return Ok(None);
        }
        Ok(self.storage.begin_refresh(refresh, now, now - every, now + lasts).await?)
    }

    /// Returns the lease, and records the refresh if it `succeeded`.
    ///
    /// # Errors
    /// If the storage fails. The lease expires by itself then.
    pub async fn end_refresh(&self, lease: Lease, succeeded: bool) -> Result<(), ServiceError> {
        let at = succeeded.then(|| self.clock.now());
        self.storage.end_refresh(lease, at).await?;
        self.next.forget();
        Ok(())
    }

    /// Records that the schedule was fetched just now.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn note_refresh(&self) -> Result<(), ServiceError> {
        self.storage.note_refresh(Refresh::Schedule, self.clock.now()).await?;
        self.next.forget();
        Ok(())
    }

    /// The current day in the NHL's time zone.
    pub fn nhl_today(&self) -> NaiveDate {
        day_of(NHL_ZONE, self.clock.now())
    }

    /// The NHL's days of the games in progress. A game that has just ended counts until its score
    /// is official. A game of today without a decided time counts too, because it may begin.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn days_of_games_on(&self) -> Result<BTreeSet<NaiveDate>, ServiceError> {
        let (now, today) = (self.clock.now(), self.nhl_today());
        let filter = GameFilter::from(now - LONGEST_GAME, today);
        let filter = filter.until(now + EARLY, next_day(today));
        let games = self.storage.games(&filter, MAX_GAMES_ON).await?;
        let is_on = |game: &&Game| {
            GameState::OPEN.contains(&game.state)
                || (game.state == GameState::Final && game.starts_at > now - CORRECTED)
        };
        Ok(games.iter().filter(is_on).map(|game| game.day).collect())
    }
}

/// The next games for a user. `today` is the earlier of the days in the user's and the NHL's time
/// zone. A game without a decided time stays in the list until its day is over in both.
fn next_games(games: &[Game], today: NaiveDate) -> impl Iterator<Item = &Game> {
    let is_to_come = move |game: &&Game| !game.is_time_open || game.day >= today;
    games.iter().filter(is_to_come).take(usize::try_from(NEXT_GAMES).unwrap_or(usize::MAX))
}

/// Groups games by day in a time zone. Games without a decided time come last, on the NHL's day.
fn by_day<'a>(games: impl Iterator<Item = &'a Game>, zone: Tz) -> Vec<ScheduleDay> {
    let mut days: BTreeMap<NaiveDate, Vec<Game>> = BTreeMap::new();
    for game in games {
        let day = if game.is_time_open { game.day } else { day_of(zone, game.starts_at) };
        days.entry(day).or_default().push(game.clone());
    }
    let in_order = |(day, mut games): (NaiveDate, Vec<Game>)| {
        games.sort_by_key(|game| (game.is_time_open, game.starts_at, game.id));
        ScheduleDay { day, games }
    };
    days.into_iter().map(in_order).collect()
}
