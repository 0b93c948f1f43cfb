//! The schedule as users see it, on a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use rollcall_domain::{Clock, Game, GameKind, GameState, NHL_ZONE, Team, undecided_start};
use rollcall_repository_diesel::{Database, DieselScheduleRepository};
use rollcall_service::{Refresh, ScheduleService, ScheduleView};
use rollcall_testkit::{TestClock, ThrowAwayDatabase};

async fn open(database: &ThrowAwayDatabase, clock: &Arc<TestClock>) -> ScheduleService {
    let database = Database::open(database.url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    ScheduleService::new(DieselScheduleRepository::new(database), clock.clone())
}

fn clock(now: &str) -> Arc<TestClock> {
    Arc::new(TestClock::at(now))
}

fn team(id: i64) -> Team {
    Team { id, abbreviation: format!("T{id}"), name: format!("Team {id}") }
}

fn game(id: i64, starts_at: DateTime<Utc>) -> Game {
    Game {
        id,
        season: 20_262_027,
        kind: GameKind::Regular,
        day: starts_at.with_timezone(&NHL_ZONE).date_naive(),
        starts_at,
        is_time_open: false,
        away: team(id % 10 + 1),
        home: team((id + 1) % 10 + 1),
        venue: String::new(),
        venue_zone: None,
        state: GameState::Future,
        score: None,
    }
}

async fn ids(
    schedule: &ScheduleService,
    view: ScheduleView,
    zone: Tz,
    favourites: &[i64],
) -> Vec<i64> {
    let favourites = favourites.iter().copied().collect::<BTreeSet<_>>();
    let schedule = schedule.schedule(view, zone, &favourites).await.unwrap();
    schedule.days.iter().flat_map(|day| day.games.iter().map(|game| game.id)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_those_of_the_users_time_zone() {
    for database in ThrowAwayDatabase::of_each_kind() {
        // Sunday evening in New York, Monday in Berlin.
        let schedule = open(&database, &clock("2026-11-23T02:00:00Z")).await;
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let over = Game { state: GameState::Final, ..game(2, at("2026-11-22T22:30:00Z")) };
        let live = Game { state: GameState::Live, ..game(3, at("2026-11-23T00:30:00Z")) };
        let postponed = Game { state: GameState::Postponed, ..game(5, at("2026-11-24T00:30:00Z")) };
        let games = [
            game(1, at("2026-11-22T04:59:00Z")),
            over,
            live,
            game(4, at("2026-11-23T03:00:00Z")),
            postponed,
            game(6, at("2026-11-30T04:30:00Z")),
            game(7, at("2026-12-24T00:00:00Z")),
        ];
        schedule.store(&games).await.unwrap();
        let (new_york, berlin) = (Tz::America__New_York, Tz::Europe__Berlin);
        for (view, zone, expected) in [
            (ScheduleView::Next, Tz::UTC, &[3, 4, 6, 7][..]),
            (ScheduleView::Today, new_york, &[2, 3, 4]),
            (ScheduleView::Today, berlin, &[3, 4]),
            (ScheduleView::Tomorrow, new_york, &[5]),
            (ScheduleView::Tomorrow, berlin, &[5]),
            (ScheduleView::Week, new_york, &[2, 3, 4]),
            (ScheduleView::Week, berlin, &[3, 4, 5]),
            (ScheduleView::Team(8), Tz::UTC, &[6, 7]),
            (ScheduleView::Favourites, Tz::UTC, &[3, 4, 7]),
        ] {
            let seen = ids(&schedule, view, zone, &[5, 9]).await;
            assert_eq!(seen, expected, "{view:?} {zone}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_next_ten_games_are_shown() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = clock("2026-11-23T12:00:00Z");
        let schedule = open(&database, &clock).await;
        assert_eq!(ids(&schedule, ScheduleView::Next, Tz::UTC, &[]).await, [0; 0]);
        let games: Vec<Game> =
            (1..=30).map(|n| game(n, clock.now() + TimeDelta::hours(n))).collect();
        schedule.store(&games).await.unwrap();
        let expected: Vec<i64> = (1..=10).collect();
        assert_eq!(ids(&schedule, ScheduleView::Next, Tz::UTC, &[]).await, expected);
        assert_eq!(ids(&schedule, ScheduleView::Favourites, Tz::UTC, &[]).await, [0; 0]);
        assert_eq!(schedule.teams().await.unwrap().len(), 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_schedule_is_marked_as_old() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = clock("2026-11-23T12:00:00Z");
        let schedule = open(&database, &clock).await;
        let outdated = async || {
            let none = BTreeSet::new();
            let shown = schedule.schedule(ScheduleView::Next, Tz::UTC, &none).await.unwrap();
            shown.outdated_since
        };
        assert_eq!(outdated().await, None);
        schedule.note_refresh().await.unwrap();
        let fetched = clock.now();
        clock.advance(86_400);
        assert_eq!(outdated().await, None);
        clock.advance(1);
        assert_eq!(outdated().await, Some(fetched));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshes_come_every_six_hours_and_every_two_minutes() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = clock("2026-11-23T12:00:00Z");
        let services = [open(&database, &clock).await, open(&database, &clock).await];
        for (refresh, seconds) in [(Refresh::Schedule, 6 * 3600), (Refresh::Scores, 120)] {
            let [one, other] = &services;
            let lease = one.begin_refresh(refresh).await.unwrap().unwrap();
            assert_eq!(other.begin_refresh(refresh).await.unwrap(), None);
            // Any process may retry a failed refresh.
            one.end_refresh(lease, false).await.unwrap();
            let lease = other.begin_refresh(refresh).await.unwrap().unwrap();
            other.end_refresh(lease, true).await.unwrap();
            clock.advance(seconds);
            assert_eq!(one.begin_refresh(refresh).await.unwrap(), None);
            clock.advance(1);
            let lease = one.begin_refresh(refresh).await.unwrap();
            assert!(lease.is_some());
            // If the holder of the lease dies, the lease expires.
            clock.advance(3600);
            assert!(other.begin_refresh(refresh).await.unwrap().is_some());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn current_games_are_found_by_the_days_of_the_nhl() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = clock("2026-11-24T03:00:00Z");
        let schedule = open(&database, &clock).await;
        let on = async || {
            let days = schedule.days_of_games_on().await.unwrap();
            days.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(schedule.nhl_today().to_string(), "2026-11-23");
        let later = game(1, clock.now() + TimeDelta::minutes(6));
        let over = Game { state: GameState::Official, ..game(2, clock.now()) };
        let long_ago = game(3, clock.now() - TimeDelta::hours(9));
        schedule.store(&[later, over, long_ago]).await.unwrap();
        assert_eq!(on().await, [""; 0]);
        clock.advance(120);
        assert_eq!(on().await, ["2026-11-23"]);
        // A game after midnight in New York belongs to the day that the NHL gives.
        clock.advance(3 * 3600);
        let late = Game { day: "2026-11-22".parse().unwrap(), ..game(4, clock.now()) };
        schedule.store(&[late]).await.unwrap();
        assert_eq!(on().await, ["2026-11-22", "2026-11-23"]);
        // It is 1 o'clock on the 24th there, so a game of that day without a time may begin.
        schedule.store(&[undecided(5, "2026-11-24"), undecided(6, "2026-11-25")]).await.unwrap();
        assert_eq!(on().await, ["2026-11-22", "2026-11-23", "2026-11-24"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_are_fetched_until_they_are_official() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = clock("2026-11-24T03:00:00Z");
        let schedule = open(&database, &clock).await;
        let started = clock.now() - TimeDelta::minutes(160);
        for (state, days) in [
            (GameState::Live, 1),
            (GameState::Final, 1),
            (GameState::Official, 0),
            (GameState::Postponed, 0),
            (GameState::Unknown, 1),
        ] {
            schedule.store(&[Game { state, ..game(1, started) }]).await.unwrap();
            assert_eq!(schedule.days_of_games_on().await.unwrap().len(), days, "{state:?}");
        }
        let done = Game { state: GameState::Final, ..game(1, started) };
        schedule.store(&[done]).await.unwrap();
        clock.advance(81 * 60);
        assert_eq!(
            schedule.days_of_games_on().await.unwrap().len(),
            0,
            "the time limit has passed"
        );
    }
}

/// A game without a decided time on a day of the NHL.
fn undecided(id: i64, day: &str) -> Game {
    let day = day.parse().unwrap();
    Game { day, is_time_open: true, ..game(id, undecided_start(day)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_game_without_a_decided_time_is_on_the_nhls_day_in_every_zone() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = clock("2026-11-23T12:00:00Z");
        let schedule = open(&database, &clock).await;
        let games = [undecided(1, "2026-11-24"), game(2, "2026-11-25T00:30:00Z".parse().unwrap())];
        schedule.store(&games).await.unwrap();
        for zone in [
            Tz::UTC,
            Tz::America__Los_Angeles,
            Tz::Asia__Tokyo,
            Tz::Pacific__Auckland,
            Tz::Pacific__Kiritimati,
            Tz::Etc__GMTPlus12,
        ] {
            for view in [ScheduleView::Next, ScheduleView::Team(2), ScheduleView::Week] {
                let shown = schedule.schedule(view, zone, &[3].into()).await.unwrap();
                let mut days = shown.days.iter().filter(|it| it.games.iter().any(|it| it.id == 1));
                assert_eq!(days.next().unwrap().day.to_string(), "2026-11-24", "{view:?} {zone}");
                assert_eq!(days.next(), None);
            }
        }
        let today = async |zone| ids(&schedule, ScheduleView::Today, zone, &[]).await;
        let tomorrow = async |zone| ids(&schedule, ScheduleView::Tomorrow, zone, &[]).await;
        // Noon in London is one o'clock of the next day in Auckland.
        assert_eq!(today(Tz::Pacific__Auckland).await, [1]);
        assert_eq!(tomorrow(Tz::Pacific__Auckland).await, [2]);
        assert_eq!(today(Tz::UTC).await, [0; 0]);
        assert_eq!(tomorrow(Tz::UTC).await, [1]);
        assert_eq!(tomorrow(Tz::America__Los_Angeles).await, [2, 1]);
    }
}

/// The game is upcoming until its day has ended for the user and for the NHL.
#[tokio::test(flavor = "multi_thread")]
async fn a_game_without_a_decided_time_is_upcoming_until_its_day_is_over() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = clock("2026-11-23T00:00:00Z");
        let schedule = open(&database, &clock).await;
        schedule.store(&[undecided(1, "2026-11-24")]).await.unwrap();
        for (now, zone, is_shown) in [
            ("2026-11-24T23:59:00Z", Tz::UTC, true),
            ("2026-11-25T04:59:00Z", Tz::UTC, true),
            ("2026-11-25T05:01:00Z", Tz::UTC, false),
            ("2026-11-25T04:59:00Z", Tz::Pacific__Auckland, true),
            ("2026-11-25T05:01:00Z", Tz::Pacific__Auckland, false),
            ("2026-11-25T07:59:00Z", Tz::America__Los_Angeles, true),
            ("2026-11-25T08:01:00Z", Tz::America__Los_Angeles, false),
            ("2026-11-25T11:59:00Z", Tz::Etc__GMTPlus12, true),
            ("2026-11-25T12:01:00Z", Tz::Etc__GMTPlus12, false),
        ] {
            let now: DateTime<Utc> = now.parse().unwrap();
            clock.advance((now - clock.now()).num_seconds());
            for view in [ScheduleView::Next, ScheduleView::Favourites, ScheduleView::Team(3)] {
                let seen = ids(&schedule, view, zone, &[3]).await;
                assert_eq!(seen == [1], is_shown, "{view:?} {zone} {now}");
            }
        }
    }
}

/// Games whose day is over here, but not everywhere, take no place from upcoming games.
#[tokio::test(flavor = "multi_thread")]
async fn ten_upcoming_games_are_shown_besides_those_that_are_over_here() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = clock("2026-11-25T06:00:00Z");
        let schedule = open(&database, &clock).await;
        let over = (1..=16).map(|id| undecided(id, "2026-11-24"));
        let later = (21..=40).map(|n| game(n, clock.now() + TimeDelta::hours(n)));
        schedule.store(&over.chain(later).collect::<Vec<_>>()).await.unwrap();
        let expected: Vec<i64> = (21..=30).collect();
        assert_eq!(ids(&schedule, ScheduleView::Next, Tz::UTC, &[]).await, expected);
        let western = ids(&schedule, ScheduleView::Next, Tz::America__Los_Angeles, &[]).await;
        assert_eq!(western, (1..=10).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_has_its_present_name_for_each_of_its_ids() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = clock("2026-11-23T12:00:00Z");
        let schedule = open(&database, &clock).await;
        let utah =
            |id, name: &str| Team { id, abbreviation: "UTA".to_owned(), name: name.to_owned() };
        let (old, new) = (utah(59, "Utah Hockey Club"), utah(68, "Utah Mammoth"));
        let day = TimeDelta::days(1);
        let games = [
            Game { home: old, ..game(1, clock.now() - day * 200) },
            Game { home: new.clone(), ..game(2, clock.now() + day) },
        ];
        schedule.store(&games).await.unwrap();
        for id in [59, 68] {
            let view = ScheduleView::Team(id);
            let shown = schedule.schedule(view, Tz::UTC, &BTreeSet::new()).await.unwrap();
            assert_eq!(shown.team, Some(new.clone()));
            assert_eq!(shown.days[0].games[0].id, 2);
            assert_eq!(ids(&schedule, ScheduleView::Favourites, Tz::UTC, &[id]).await, [2]);
        }
        let next = schedule.schedule(ScheduleView::Next, Tz::UTC, &BTreeSet::new()).await.unwrap();
        assert_eq!(next.team, None);
        let teams = schedule.teams().await.unwrap();
        assert_eq!(teams.iter().filter(|team| team.abbreviation == "UTA").count(), 1);
    }
}

/// For every zone and time, a game is today, tomorrow or this week exactly if it is so by the clock
/// there. The shown days are in order, each once.
#[tokio::test(flavor = "multi_thread")]
async fn views_follow_the_clock_of_the_zone() {
    let database = ThrowAwayDatabase::sqlite();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(60));
    let cases = (select(TZ_VARIANTS.as_slice()), 1_325_376_000_i64..2_145_916_800);
    let clock = clock("2026-11-23T12:00:00Z");
    let schedule = open(&database, &clock).await;
    let handle = tokio::runtime::Handle::current();
    let check = async |zone: Tz, seconds: i64| {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        clock.advance((now - clock.now()).num_seconds());
        let timed = |n: i64| game(n + 1, now + TimeDelta::minutes(n * 61 - 1500));
        // Every tenth game has no decided time.
        let games: Vec<Game> = (0..200)
            .map(timed)
            .map(|it| match it.id % 10 {
                0 => undecided(it.id, &it.day.to_string()),
                _ => it,
            })
            .collect();
        schedule.store(&games).await.unwrap();
        let today = now.with_timezone(&zone).date_naive();
        let monday = today.week(chrono::Weekday::Mon).last_day().succ_opt().unwrap();
        let day = |game: &Game| match game.is_time_open {
            true => game.day,
            false => game.starts_at.with_timezone(&zone).date_naive(),
        };
        for (view, first, after) in [
            (ScheduleView::Today, today, today.succ_opt().unwrap()),
            (
                ScheduleView::Tomorrow,
                today.succ_opt().unwrap(),
                today.succ_opt().unwrap().succ_opt().unwrap(),
            ),
            (ScheduleView::Week, today, monday),
        ] {
            let shown = schedule.schedule(view, zone, &BTreeSet::new()).await.unwrap();
            let is_of = |game: &&Game| (first..after).contains(&day(game));
            let mut expected: Vec<&Game> = games.iter().filter(is_of).collect();
            expected.sort_by_key(|game| (game.starts_at, game.id));
            expected.truncate(120);
            expected.sort_by_key(|game| (day(game), game.is_time_open, game.starts_at));
            let expected: Vec<i64> = expected.into_iter().map(|it| it.id).collect();
            let seen: Vec<i64> =
                shown.days.iter().flat_map(|day| day.games.iter().map(|game| game.id)).collect();
            assert_eq!(seen, expected, "{view:?} {zone} {now}");
            assert!(shown.days.is_sorted_by(|one, next| one.day < next.day), "{zone} {now}");
            assert!(shown.days.iter().all(|it| it.games.iter().all(|game| day(game) == it.day)));
        }
    };
    let result = tokio::task::block_in_place(|| {
        runner.run(&cases, |(zone, seconds)| {
            handle.block_on(check(zone, seconds));
            Ok(())
        })
    });
    result.unwrap();
}
