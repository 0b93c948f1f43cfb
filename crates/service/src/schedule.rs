//! The schedule of the NHL: what people see of it, and when it is to be fetched again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{Clock, Game, GameState, GameUpdate, NHL_ZONE, Team};
use rollcall_repository::{GameFilter, Lease, Refresh, ScheduleRepository, StoredGames};

use crate::{
    ServiceError,
    cached::Cached,
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
/// How long after its start the score of a game that is over may still be corrected.
const CORRECTED: TimeDelta = TimeDelta::hours(4);
/// How far the last time zone is behind UTC: what is over there is over everywhere.
const LAST_ZONE: TimeDelta = TimeDelta::hours(12);
/// How many games without a decided time may be over in one time zone, and yet to come in another.
const GAMES_OVER_SOMEWHERE: u32 = 32;
/// A team has its games of this and of the last season.
const SEASON: TimeDelta = TimeDelta::days(365);
/// How many games are looked at for whether one is on.
const MAX_GAMES_ON: u32 = 64;
/// How long the next games are given out before they are read again: nearly everybody asks for
/// them, and they are the same for all.
const FRESH: TimeDelta = TimeDelta::seconds(1);

/// Shows the schedule, and keeps it. Cheap to clone.
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
    /// The team whose games were asked for, as it is called now.
    pub team: Option<Team>,
    /// Since when the schedule has not been fetched, if that is long.
    pub outdated_since: Option<DateTime<Utc>>,
}

/// The games of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleDay {
    /// The day, in the time zone that was asked for; of a game without a decided time, the NHL's.
    pub day: NaiveDate,
    /// Its games, in the order in which they begin; last those without a decided time.
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
            next: Arc::new(Cached::new(FRESH)),
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
            GameFilter::from(day_start(zone, first), first).until(day_start(zone, after), after)
        };
        // A game that is on has begun before.
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
    /// When the storage fails.
    pub async fn teams(&self) -> Result<Vec<Team>, ServiceError> {
        Ok(self.storage.teams(self.clock.now() - SEASON, MAX_TEAMS).await?)
    }

    /// Stores games; says what that has changed.
    ///
    /// # Errors
    /// When the storage fails; then nothing is stored.
    pub async fn store(&self, games: &[Game]) -> Result<StoredGames, ServiceError> {
        self.store_days(games, &BTreeSet::new()).await
    }

    /// Stores games, which are all that the NHL has on these days: others of these days are
    /// withdrawn. Says what that has changed.
    ///
    /// # Errors
    /// When the storage fails; then nothing is stored.
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

    /// The days of the games that are on, as the NHL counts days. A game that has just ended counts
    /// too, until its score is official, and one of today without a decided time: it may begin.
    ///
    /// # Errors
    /// When the storage fails.
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

/// The next of these games for somebody in whose time zone, and at the NHL, it is no earlier than
/// `today`: a game without a decided time is one through its whole day.
fn next_games(games: &[Game], today: NaiveDate) -> impl Iterator<Item = &Game> {
    let is_to_come = move |game: &&Game| !game.is_time_open || game.day >= today;
    games.iter().filter(is_to_come).take(usize::try_from(NEXT_GAMES).unwrap_or(usize::MAX))
}

/// Groups games by the days of a time zone; those without a decided time by the NHL's, which come
/// last.
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
