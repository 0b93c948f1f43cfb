//! Fetching the schedule from the NHL by itself, beside everything else.

use std::{convert::Infallible, time::Duration};

use rollcall_domain::Backoff;
use rollcall_nhl::{Client, FetchError, Games, Skipped};
use rollcall_service::{Outage, Refresh, ScheduleService, ServiceError, StoredGames};
use tokio::time::{Instant, sleep};

/// How often there is a look at what is due, give or take a fifth by chance.
const EVERY: Duration = Duration::from_secs(30);
/// The longest pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(150);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// How many weeks are fetched. In summer the second one is that of the first games of autumn.
const WEEKS: u32 = 3;
/// How many games that could not be read are logged of one fetch.
const SKIPPED_LOGGED: usize = 5;

/// Keeps the schedule up to date, for ever: every six hours, and how games stand every two minutes
/// while one is on. What there is stays when the API is away.
pub(crate) async fn run(schedule: ScheduleService, nhl: Client) -> Infallible {
    let mut refresher = Refresher::new(schedule, nhl);
    loop {
        refresher.look().await;
        sleep(EVERY.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
    }
}

/// Fetches the schedule once, if it is due.
pub(crate) async fn once(schedule: ScheduleService, nhl: Client) {
    Refresher::new(schedule, nhl).look().await;
}

/// Why a refresh failed.
#[derive(Debug, thiserror::Error)]
enum RefreshError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Refreshes what is due, and takes its time after failures.
struct Refresher {
    schedule: ScheduleService,
    nhl: Client,
    weeks: Attempts,
    scores: Attempts,
}

/// Something to refresh: whether it fails, and when to try it again.
struct Attempts {
    outage: Outage,
    next: Instant,
}

impl Attempts {
    /// `what` is what the log calls a failure.
    fn new(what: &'static str) -> Self {
        let outage = Outage::new(what, Backoff::new(FIRST_PAUSE, LONGEST_PAUSE));
        Self { outage, next: Instant::now() }
    }

    fn are_due(&self) -> bool {
        self.next <= Instant::now()
    }

    fn note(&mut self, result: Result<(), RefreshError>) {
        match result {
            Ok(()) => self.outage.end(),
            Err(error) => self.next = Instant::now() + self.outage.record(&error),
        }
    }
}

impl Refresher {
    fn new(schedule: ScheduleService, nhl: Client) -> Self {
        let weeks = Attempts::new("cannot fetch the schedule");
        let scores = Attempts::new("cannot fetch the scores");
        Self { schedule, nhl, weeks, scores }
    }

    /// Refreshes what is due.
    async fn look(&mut self) {
        if self.weeks.are_due() {
            let result = self.refresh_weeks().await;
            self.weeks.note(result);
        }
        if self.scores.are_due() {
            let result = self.refresh_scores().await;
            self.scores.note(result);
        }
    }

    async fn refresh_weeks(&self) -> Result<(), RefreshError> {
        let Some(lease) = self.schedule.begin_refresh(Refresh::Schedule).await? else {
            return Ok(());
        };
        let result = self.fetch_weeks().await;
        count(Refresh::Schedule, result.is_ok());
        self.schedule.end_refresh(lease, result.is_ok()).await?;
        let StoredGames { new, changed, unchanged, withdrawn } = result?;
        log::info!(new, changed, unchanged, withdrawn; "fetched the schedule");
        Ok(())
    }

    /// Fetches the next weeks, and stores them together, so that a game that was moved from one to
    /// another is there all the time. Where one cannot be fetched, those before it are stored.
    async fn fetch_weeks(&self) -> Result<StoredGames, RefreshError> {
        let mut fetched = Games::default();
        // Yesterday's games may have ended only just now.
        let today = self.schedule.nhl_today();
        let mut next = today.pred_opt().or(Some(today));
        let mut result = Ok(());
        for _ in 0..WEEKS {
            let Some(first) = next else { break };
            match self.nhl.week(first).await {
                Ok(week) => {
                    if week.days.is_empty() {
                        let first = first.to_string();
                        log::info!(first; "a week is incomplete: none of its games is withdrawn");
                    }
                    next = week.next.filter(|next| *next > first);
                    fetched.games.extend(week.games);
                    fetched.days.extend(week.days);
                    fetched.skipped.extend(week.skipped);
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        log_skipped(&fetched.skipped);
        let stored = self.schedule.store_days(&fetched.games, &fetched.days).await?;
        count_games(&stored, fetched.skipped.len());
        result?;
        Ok(stored)
    }

    async fn refresh_scores(&self) -> Result<(), RefreshError> {
        let days = self.schedule.days_of_games_on().await?;
        if days.is_empty() {
            return Ok(());
        }
        let Some(lease) = self.schedule.begin_refresh(Refresh::Scores).await? else {
            return Ok(());
        };
        let result = async {
            let mut changed = 0;
            for day in days {
                let scores = self.nhl.scores(day).await?;
                log_skipped(&scores.skipped);
                changed += self.schedule.update(&scores.updates).await?;
            }
            Ok(changed)
        };
        let result: Result<u64, RefreshError> = result.await;
        count(Refresh::Scores, result.is_ok());
        self.schedule.end_refresh(lease, result.is_ok()).await?;
        let changed = result?;
        log::debug!(changed; "fetched the scores");
        Ok(())
    }
}

/// Logs some of the games that could not be read; there is no more to be done about them.
fn log_skipped(skipped: &[Skipped]) {
    for Skipped { id, reason } in skipped.iter().take(SKIPPED_LOGGED) {
        log::warn!(game = id.unwrap_or_default(), reason; "skipped a game that could not be read");
    }
    if skipped.len() > SKIPPED_LOGGED {
        let others = skipped.len() - SKIPPED_LOGGED;
        log::warn!(others; "skipped more games that could not be read");
    }
}

fn count(refresh: Refresh, succeeded: bool) {
    let outcome = if succeeded { "succeeded" } else { "failed" };
    let labels = [("what", refresh.name()), ("outcome", outcome)];
    metrics::counter!("rollcall_refreshes_total", &labels).increment(1);
}

fn count_games(stored: &StoredGames, skipped: usize) {
    let skipped = u64::try_from(skipped).unwrap_or(u64::MAX);
    for (change, games) in [
        ("new", stored.new),
        ("changed", stored.changed),
        ("unchanged", stored.unchanged),
        ("withdrawn", stored.withdrawn),
        ("skipped", skipped),
    ] {
        metrics::counter!("rollcall_games_fetched_total", "change" => change).increment(games);
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
    use chrono_tz::Tz;
    use rollcall_domain::{Game, GameState};
    use rollcall_nhl::Timing;
    use rollcall_repository::{GameFilter, ScheduleRepository};
    use rollcall_repository_diesel::{Database, DieselScheduleRepository};
    use rollcall_service::ScheduleView;
    use rollcall_simulator::{Fault, NhlApi, NhlGame};
    use rollcall_testkit::{TestClock, ThrowAwayDatabase};
    use serde_json::json;

    use super::*;

    struct Desk {
        api: NhlApi,
        clock: Arc<TestClock>,
        refresher: Refresher,
        other: Refresher,
        storage: DieselScheduleRepository,
    }

    const QUICK: Timing = Timing {
        timeout: Duration::from_millis(500),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(50),
    };

    impl Desk {
        async fn open(database: &ThrowAwayDatabase) -> Self {
            let api = NhlApi::start().await.unwrap();
            let clock = Arc::new(TestClock::at("2026-11-24T00:00:00Z"));
            let url: rollcall_nhl::ApiUrl = api.url().parse().unwrap();
            let open = async || {
                let database = Database::open(database.url().parse().unwrap()).await.unwrap();
                database.migrate().await.unwrap();
                DieselScheduleRepository::new(database)
            };
            let refresher = async || {
                let storage = open().await;
                let client = Client::new(url.clone(), None, QUICK, clock.clone()).unwrap();
                Refresher::new(ScheduleService::new(storage, clock.clone()), client)
            };
            let (one, other) = (refresher().await, refresher().await);
            Self { api, clock, refresher: one, other, storage: open().await }
        }

        /// The games that are in the schedule, whenever they are.
        async fn ids(&self) -> Vec<i64> {
            let filter = GameFilter::from(DateTime::UNIX_EPOCH, NaiveDate::default());
            let games = self.storage.games(&filter, 100).await.unwrap();
            let ids: BTreeSet<i64> = games.iter().map(|game| game.id).collect();
            ids.into_iter().collect()
        }

        async fn games(&self) -> Vec<Game> {
            let schedule = &self.other.schedule;
            let shown = schedule.schedule(ScheduleView::Today, Tz::UTC, &BTreeSet::new()).await;
            shown.unwrap().days.into_iter().flat_map(|day| day.games).collect()
        }

        fn paths(&self) -> Vec<String> {
            self.api.requests().into_iter().map(|request| request.path).collect()
        }

        async fn look_after(&mut self, seconds: i64) {
            self.clock.advance(seconds);
            self.refresher.look().await;
            self.other.look().await;
        }

        /// As if what has failed had failed long ago.
        fn forget_failures(&mut self) {
            self.refresher.weeks.next = Instant::now();
            self.refresher.scores.next = Instant::now();
        }
    }

    fn game() -> NhlGame {
        NhlGame::new(1, "BOS", "MTL", "2026-11-24T00:30:00Z")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_schedule_is_fetched_every_six_hours_by_one() {
        for database in ThrowAwayDatabase::of_each_kind() {
            let mut desk = Desk::open(&database).await;
            desk.api.put(game());
            desk.refresher.look().await;
            desk.other.look().await;
            desk.refresher.look().await;
            assert_eq!(
                desk.paths(),
                ["/v1/schedule/2026-11-22", "/v1/schedule/2026-11-29", "/v1/schedule/2026-12-06",]
            );
            assert_eq!(desk.games().await.len(), 1);
            desk.clock.advance(6 * 3600 + 1);
            desk.api.put(game().state("OFF").score(1, 2));
            desk.other.look().await;
            assert_eq!(desk.games().await[0].state, GameState::Official);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn in_summer_it_goes_on_where_the_nhl_does() {
        let database = ThrowAwayDatabase::sqlite();
        let mut desk = Desk::open(&database).await;
        desk.api.next_start("2026-12-20");
        desk.refresher.look().await;
        assert_eq!(desk.paths(), ["/v1/schedule/2026-11-22", "/v1/schedule/2026-12-20"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_game_that_the_nhl_takes_out_or_moves_leaves_its_place() {
        for database in ThrowAwayDatabase::of_each_kind() {
            let mut desk = Desk::open(&database).await;
            let other = |start: &str| NhlGame::new(2, "NYR", "TOR", start);
            desk.api.put(game());
            desk.api.put(other("2026-11-24T01:00:00Z"));
            desk.refresher.look().await;
            assert_eq!(desk.ids().await, [1, 2]);
            // One is gone, and the other one far away.
            desk.api.remove(1);
            desk.api.put(other("2027-02-24T01:00:00Z"));
            desk.look_after(6 * 3600 + 1).await;
            assert_eq!(desk.ids().await, [0; 0]);
            desk.api.put(game());
            desk.api.put(other("2026-11-24T01:00:00Z"));
            desk.look_after(6 * 3600 + 1).await;
            assert_eq!(desk.ids().await, [1, 2]);
            // To another week, which is fetched together with the first.
            desk.api.put(other("2026-12-05T01:00:00Z"));
            desk.look_after(6 * 3600 + 1).await;
            assert_eq!(desk.ids().await, [1, 2]);
            let (schedule, none) = (&desk.refresher.schedule, BTreeSet::new());
            let next = schedule.schedule(ScheduleView::Team(3), Tz::UTC, &none).await.unwrap();
            assert_eq!(next.days[0].day.to_string(), "2026-12-05");
        }
    }

    /// What was not fetched, or not to its end, says nothing of what there is.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_week_that_is_incomplete_withdraws_nothing() {
        for database in ThrowAwayDatabase::of_each_kind() {
            let mut desk = Desk::open(&database).await;
            let second = NhlGame::new(2, "NYR", "TOR", "2026-11-24T01:00:00Z");
            let (third, later) = ("2026-12-01T01:00:00Z", "2026-12-08T01:00:00Z");
            desk.api.put(game());
            desk.api.put(second.clone());
            desk.api.put(NhlGame::new(3, "VAN", "SEA", third));
            desk.api.put(NhlGame::new(4, "LAK", "ANA", later));
            desk.refresher.look().await;
            // One game cannot be read, and one is missing.
            desk.api.put(second.clone().with("awayTeam", json!({ "id": "many" })));
            desk.api.remove(1);
            // And another one in the second week, of which nothing is wrong.
            desk.api.remove(3);
            desk.look_after(6 * 3600 + 1).await;
            assert_eq!(desk.ids().await, [1, 2, 4]);
            // The weeks after the first one cannot be fetched.
            desk.api.put(second);
            desk.api.remove(4);
            desk.api.fail_path_always("/v1/schedule/2026-11-30", Fault::not_found());
            desk.look_after(6 * 3600 + 1).await;
            assert_eq!(desk.ids().await, [2, 4]);
            // Nothing can be fetched.
            desk.api.remove(2);
            desk.api.fail_always(Fault::not_found());
            desk.forget_failures();
            desk.look_after(6 * 3600 + 1).await;
            assert_eq!(desk.ids().await, [2, 4]);
            desk.api.clear_faults();
            desk.forget_failures();
            desk.look_after(6 * 3600 + 1).await;
            assert_eq!(desk.ids().await, [0; 0]);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_game_whose_time_is_decided_at_last_is_noticed_on_its_day() {
        for database in ThrowAwayDatabase::of_each_kind() {
            let mut desk = Desk::open(&database).await;
            let undecided = game().on("2026-11-23").with("gameScheduleState", json!("TBD"));
            desk.api.put(undecided);
            desk.refresher.look().await;
            desk.api.put(game().on("2026-11-23"));
            desk.look_after(121).await;
            let games = desk.games().await;
            assert!(!games[0].is_time_open);
            assert_eq!(
                games[0].starts_at,
                "2026-11-24T00:30:00Z".parse::<DateTime<Utc>>().unwrap()
            );
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn scores_are_fetched_every_two_minutes_while_a_game_is_on() {
        for database in ThrowAwayDatabase::of_each_kind() {
            let mut desk = Desk::open(&database).await;
            desk.api.put(game());
            desk.refresher.look().await;
            let before = desk.paths().len();
            desk.look_after(60).await;
            assert_eq!(desk.paths().len(), before, "it is not on yet");
            desk.api.put(game().state("LIVE").score(1, 0));
            desk.look_after(26 * 60).await;
            assert_eq!(desk.paths()[before..], ["/v1/score/2026-11-23"]);
            let games = desk.games().await;
            assert_eq!((games[0].state, games[0].score.unwrap().away), (GameState::Live, 1));
            // Scores have no place name, so the full name stays.
            assert_eq!(games[0].home.name, "Montréal Canadiens");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_there_is_stays_when_the_api_is_away_or_odd() {
        for database in ThrowAwayDatabase::of_each_kind() {
            let mut desk = Desk::open(&database).await;
            desk.api.put(game());
            desk.refresher.look().await;
            let stored = desk.games().await;
            let page = Fault::Body {
                status: 200,
                content_type: String::new(),
                body: "<html>maintenance</html>".to_owned(),
            };
            for fault in [
                Fault::internal(),
                page,
                Fault::Closed,
                Fault::Huge { bytes: 1 << 40 },
                Fault::Slow(Duration::from_secs(60)),
            ] {
                desk.clock.advance(6 * 3600 + 1);
                desk.api.fail_always(fault);
                desk.forget_failures();
                desk.refresher.look().await;
                assert!(desk.refresher.weeks.outage.is_ongoing());
                let asked = desk.paths().len();
                desk.refresher.look().await;
                assert_eq!(desk.paths().len(), asked, "it takes its time");
                desk.clock.advance(-(6 * 3600 + 1));
                assert_eq!(desk.games().await, stored);
            }
            desk.api.clear_faults();
            desk.clock.advance(6 * 3600 + 1);
            desk.forget_failures();
            desk.refresher.look().await;
            assert!(!desk.refresher.weeks.outage.is_ongoing());
        }
    }

    #[test]
    fn a_failure_makes_the_next_attempt_wait() {
        let mut attempts = Attempts::new("on purpose");
        assert!(attempts.are_due());
        for _ in 0..40 {
            attempts.note(Err(ServiceError::Stopped.into()));
            assert!(attempts.next <= Instant::now() + LONGEST_PAUSE);
            assert!(!attempts.are_due());
        }
        assert!(attempts.next >= Instant::now() + LONGEST_PAUSE / 3, "pauses grow");
        assert!(TimeDelta::from_std(FIRST_PAUSE).is_ok());
    }
}
