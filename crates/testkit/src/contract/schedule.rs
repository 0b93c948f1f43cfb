//! The contract of [`ScheduleRepository`]: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{Game, GameKind, GameState, GameUpdate, Score, Team, undecided_start};
use rollcall_repository::{GameFilter, Refresh, ScheduleRepository, StoredGames};

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! schedule_repository_contract {
    ($open:path) => {
        $crate::contract!($open, schedule:
            there_are_no_games_at_first,
            games_are_stored_unchanged,
            only_changed_games_are_written,
            the_last_game_with_an_id_counts,
            games_are_found_by_time_state_and_team,
            a_game_without_a_time_is_found_by_its_day,
            a_game_missing_from_its_day_is_withdrawn,
            a_withdrawn_game_can_return,
            a_moved_game_is_not_withdrawn,
            teams_are_those_of_the_current_season,
            ids_that_alternate_are_one_club,
            ids_that_play_each_other_are_two_clubs,
            clubs_are_determined_again_with_each_batch,
            updates_change_stored_games_only,
            one_of_many_processes_refreshes,
            a_refresh_is_due_after_an_interval,
            an_expired_lease_has_no_effect,
            the_same_games_are_stored_concurrently,
        );
    };
}

type Stores = [Arc<dyn ScheduleRepository>; 2];

pub async fn there_are_no_games_at_first([store, _]: Stores) {
    assert_eq!(all(&store).await, []);
    assert_eq!(store.teams(at(0), 100).await.unwrap(), []);
    assert_eq!(store.store(&[]).await.unwrap(), StoredGames::default());
    assert_eq!(store.update(&[]).await.unwrap(), 0);
    assert_eq!(store.refreshed_at(Refresh::Schedule).await.unwrap(), None);
}

pub async fn games_are_stored_unchanged([store, other]: Stores) {
    let plain = game(1, 0);
    let odd = Game {
        season: 20_252_026,
        kind: GameKind::Playoffs,
        starts_at: undecided_start(day("2026-11-23")),
        is_time_open: true,
        venue: "Étoile \"O'Hara\" 𝄞 {\\u0041}".to_owned(),
        venue_zone: Some(Tz::America__Argentina__ComodRivadavia),
        state: GameState::Critical,
        score: Some(Score { away: 0, home: u16::MAX }),
        ..game(2, 1)
    };
    let bare = Game { venue: String::new(), venue_zone: None, ..game(3, 2) };
    let games = [plain, bare, odd];
    let stored = store.store(&games).await.unwrap();
    assert_eq!(stored, StoredGames { new: 3, ..Default::default() });
    assert_eq!(all(&other).await, games);
}

pub async fn only_changed_games_are_written([store, other]: Stores) {
    let games: Vec<Game> = (1..=60).map(|n| game(n, n)).collect();
    let stored = store.store(&games).await.unwrap();
    assert_eq!(stored, StoredGames { new: 60, ..Default::default() });
    let stored = other.store(&games).await.unwrap();
    assert_eq!(stored, StoredGames { unchanged: 60, ..Default::default() });

    // Each single field counts as a change, in both directions.
    let first = games[0].clone();
    let changes = [
        Game { season: 1, ..first.clone() },
        Game { kind: GameKind::Other, ..first.clone() },
        Game { day: day("2026-11-22"), ..first.clone() },
        Game { starts_at: first.starts_at + TimeDelta::seconds(1), ..first.clone() },
        Game { is_time_open: true, ..first.clone() },
        Game { away: team(30), ..first.clone() },
        Game { home: team(31), ..first.clone() },
        Game { venue: "Elsewhere".to_owned(), ..first.clone() },
        Game { venue_zone: None, ..first.clone() },
        Game { venue_zone: Some(Tz::Europe__Berlin), ..first.clone() },
        Game { state: GameState::Postponed, ..first.clone() },
        Game { score: Some(Score { away: 0, home: 0 }), ..first.clone() },
    ];
    for change in changes {
        for given in [&change, &first] {
            let batch = [given.clone(), games[1].clone(), game(100, 5)];
            let stored = store.store(&batch[..2]).await.unwrap();
            let expected = StoredGames { changed: 1, unchanged: 1, ..Default::default() };
            assert_eq!(stored, expected, "{change:?}");
            assert_eq!(&all(&other).await.iter().find(|it| it.id == 1).unwrap(), &given);
        }
    }
    // A renamed team is renamed in all of its games, which do not count as changed.
    let renamed = Team { name: "Utah Mammoth".to_owned(), ..first.home.clone() };
    let batch = [Game { home: renamed.clone(), ..first }];
    let stored = store.store(&batch).await.unwrap();
    assert_eq!(stored, StoredGames { unchanged: 1, ..Default::default() });
    let games = all(&other).await;
    assert!(games.iter().filter(|game| game.home.id == renamed.id).all(|it| it.home == renamed));
}

pub async fn the_last_game_with_an_id_counts([store, _]: Stores) {
    let last = Game { state: GameState::Final, ..game(1, 0) };
    let stored = store.store(&[game(1, 0), last.clone()]).await.unwrap();
    assert_eq!(stored, StoredGames { new: 1, ..Default::default() });
    assert_eq!(all(&store).await, [last]);
}

pub async fn games_are_found_by_time_state_and_team([store, _]: Stores) {
    let states = [
        GameState::Final,
        GameState::Live,
        GameState::Future,
        GameState::Postponed,
        GameState::Unknown,
        GameState::Cancelled,
        GameState::Pregame,
    ];
    let games: Vec<Game> = (0..)
        .zip(states)
        .map(|(n, state)| Game { state, starts_at: at(n), ..game(n + 1, 0) })
        .collect();
    store.store(&games).await.unwrap();
    let ids = async |filter: GameFilter, limit| {
        let games = store.games(&filter, limit).await.unwrap();
        games.into_iter().map(|game| game.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(from(0), 100).await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(ids(from(0), 3).await, [1, 2, 3]);
    assert_eq!(ids(from(2).until(at(5), at(5).date_naive()), 100).await, [3, 4, 5]);
    assert_eq!(ids(from(0).only_open(), 100).await, [2, 3, 5, 7]);
    // Team n is the home team of game n.
    assert_eq!(ids(from(0).of_teams([2, 6]), 100).await, [1, 2, 5, 6]);
    assert_eq!(ids(from(0).of_teams([]), 100).await, [0; 0]);
    assert_eq!(ids(from(0).only_open().of_teams([2, 6]), 1).await, [2]);
    // Games with the same start are ordered by id.
    store.store(&[game(9, 0), game(8, 0)]).await.unwrap();
    assert_eq!(ids(from(0).until(at(1), at(1).date_naive()), 100).await, [1, 8, 9]);
}

pub async fn a_game_without_a_time_is_found_by_its_day([store, _]: Stores) {
    let undecided = |id, on: &str| Game {
        day: day(on),
        starts_at: undecided_start(day(on)),
        is_time_open: true,
        ..game(id, 0)
    };
    let games =
        [undecided(1, "2026-11-22"), undecided(2, "2026-11-23"), undecided(3, "2026-11-24")];
    store.store(&games).await.unwrap();
    store.store(&[game(4, 0), game(5, 24)]).await.unwrap();
    // Its placeholder start is long past or far from that day.
    for (hours, on, until, expected) in [
        (0, "2026-11-23", None, &[4, 2, 5, 3][..]),
        (0, "2026-11-24", None, &[4, 5, 3]),
        (30, "2026-11-22", None, &[1, 2, 3]),
        (-60, "2026-11-25", None, &[4, 5]),
        (0, "2026-11-23", Some((24, "2026-11-24")), &[4, 2]),
        (0, "2026-11-22", Some((1, "2026-11-25")), &[1, 4, 2, 3]),
        (-60, "2026-11-25", Some((60, "2026-11-25")), &[4, 5]),
        (30, "2026-11-23", Some((30, "2026-11-24")), &[2]),
    ] {
        let filter = GameFilter::from(at(hours), day(on));
        let filter = match until {
            Some((hours, on)) => filter.until(at(hours), day(on)),
            None => filter,
        };
        let found = store.games(&filter, 100).await.unwrap();
        let ids: Vec<i64> = found.iter().map(|game| game.id).collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
}

pub async fn a_game_missing_from_its_day_is_withdrawn([store, other]: Stores) {
    let games = [game(1, 0), game(2, 1), game(3, 2), game(4, 24), game(5, 48)];
    store.store(&games).await.unwrap();
    let days = [day("2026-11-23"), day("2026-11-25")].into();
    let stored = other.store_days(&[game(1, 0), game(6, 3)], &days).await.unwrap();
    assert_eq!(stored, StoredGames { new: 1, unchanged: 1, withdrawn: 3, ..Default::default() });
    // The day between was not fetched.
    assert_eq!(all(&store).await, [game(1, 0), game(6, 3), game(4, 24)]);
    let stored = other.store_days(&[game(1, 0), game(6, 3)], &days).await.unwrap();
    assert_eq!(stored, StoredGames { unchanged: 2, ..Default::default() });
    // Withdrawn games do not count for the season: only the teams 1, 4 and 6 play at home.
    let teams = store.teams(at(-500), 10).await.unwrap();
    assert_eq!(teams.iter().map(|team| team.id).collect::<Vec<_>>(), [1, 4, 6]);
    // A day without games was fetched too.
    let stored = other.store_days(&[], &[day("2026-11-24")].into()).await.unwrap();
    assert_eq!(stored, StoredGames { withdrawn: 1, ..Default::default() });
    assert_eq!(all(&store).await, [game(1, 0), game(6, 3)]);
}

pub async fn a_withdrawn_game_can_return([store, other]: Stores) {
    let days = [day("2026-11-23")].into();
    let withdraw = async || {
        store.store(&[game(1, 0), game(2, 1)]).await.unwrap();
        store.store_days(&[game(2, 1)], &days).await.unwrap();
        assert_eq!(all(&store).await, [game(2, 1)]);
    };
    withdraw().await;
    let stored = other.store(&[game(1, 0)]).await.unwrap();
    assert_eq!(stored, StoredGames { changed: 1, ..Default::default() });
    assert_eq!(all(&store).await, [game(1, 0), game(2, 1)]);
    // An update about it proves that it takes place.
    withdraw().await;
    let update = GameUpdate {
        id: 1,
        day: day("2026-11-23"),
        starts_at: at(0),
        is_time_open: false,
        state: GameState::Future,
        score: None,
    };
    assert_eq!(other.update(std::slice::from_ref(&update)).await.unwrap(), 1);
    assert_eq!(other.update(&[update]).await.unwrap(), 0);
    assert_eq!(all(&store).await, [game(1, 0), game(2, 1)]);
}

pub async fn a_moved_game_is_not_withdrawn([store, _]: Stores) {
    store.store(&[game(1, 0), game(2, 1)]).await.unwrap();
    let days = [day("2026-11-23"), day("2026-11-24")].into();
    let moved = Game { day: day("2026-11-24"), starts_at: at(24), ..game(1, 0) };
    let stored = store.store_days(&[game(2, 1), moved.clone()], &days).await.unwrap();
    assert_eq!(stored, StoredGames { changed: 1, unchanged: 1, ..Default::default() });
    // It was moved to a day that was not fetched.
    let away = Game { day: day("2026-12-30"), starts_at: at(900), ..game(2, 1) };
    store.store(std::slice::from_ref(&away)).await.unwrap();
    let stored = store.store_days(std::slice::from_ref(&moved), &days).await.unwrap();
    assert_eq!(stored, StoredGames { unchanged: 1, ..Default::default() });
    assert_eq!(all(&store).await, [moved, away]);
}

pub async fn teams_are_those_of_the_current_season([store, _]: Stores) {
    let friendly = Game { kind: GameKind::Preseason, home: team(77), ..game(50, 9) };
    let old = Game { starts_at: at(-1000), home: team(78), ..game(51, 9) };
    let named = |id, name: &str| Team { name: name.to_owned(), ..team(id) };
    let home = |id, name| Game { home: named(id, name), ..game(id, 3) };
    store.store(&[home(5, "Zürich"), home(6, "Anaheim"), friendly, old]).await.unwrap();
    let teams = async |limit| {
        let teams = store.teams(at(-500), limit).await.unwrap();
        teams.into_iter().map(|team| team.id).collect::<Vec<_>>()
    };
    assert_eq!(teams(10).await, [6, 5]);
    assert_eq!(teams(1).await, [6]);
}

pub async fn ids_that_alternate_are_one_club([store, other]: Stores) {
    let (old, new) = (named(59, "Utah Hockey Club"), named(68, "Utah Mammoth"));
    store.store(&[between(1, 0, &team(6), &old), between(2, 24, &old, &team(8))]).await.unwrap();
    assert_eq!(store.team(59).await.unwrap(), Some(old.clone()));
    assert_eq!(store.team(68).await.unwrap(), None);
    let games = [between(3, 48, &new, &team(6)), between(4, 72, &team(8), &new)];
    store.store(&games).await.unwrap();
    for id in [59, 68] {
        assert_eq!(other.team(id).await.unwrap(), Some(new.clone()));
        let games = other.games(&from(0).of_teams([id]), 9).await.unwrap();
        assert_eq!(games.iter().map(|game| game.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
        // Each game has the club's name at that time.
        let clubs = games.iter().flat_map(|game| [&game.away, &game.home]);
        let names: Vec<(i64, &str)> = clubs
            .filter(|team| team.abbreviation == "UTA")
            .map(|team| (team.id, team.name.as_str()))
            .collect();
        let (old, new) = ((68, "Utah Hockey Club"), (68, "Utah Mammoth"));
        assert_eq!(names, [old, old, new, new]);
    }
    let teams = other.teams(at(-500), 9).await.unwrap();
    let names: Vec<&str> = teams.iter().map(|team| team.name.as_str()).collect();
    assert_eq!(names, ["Team 6", "Team 8", "Utah Mammoth"]);
    // Fetching the previous season again does not make it the current one.
    store.store(&[between(5, -24, &old, &team(6))]).await.unwrap();
    assert_eq!(other.team(59).await.unwrap(), Some(new));
}

pub async fn ids_that_play_each_other_are_two_clubs([store, other]: Stores) {
    let (one, next) = (named(1, "Reds"), named(2, "Blues"));
    store.store(&[between(1, 0, &one, &team(6)), between(2, 24, &next, &team(6))]).await.unwrap();
    assert_eq!(other.team(1).await.unwrap(), Some(next.clone()));
    // They are two clubs from now on.
    for id in [3, 4] {
        store.store(&[between(id, 48 * id, &next, &one)]).await.unwrap();
        assert_eq!(other.team(1).await.unwrap(), Some(one.clone()));
        assert_eq!(other.team(2).await.unwrap(), Some(next.clone()));
        let of_one = other.games(&from(0).of_teams([1]), 1).await.unwrap();
        assert_eq!(of_one[0].id, 1);
        assert_eq!(other.games(&from(1).of_teams([1]), 1).await.unwrap()[0].id, 3);
    }
    // That game was an error of the NHL.
    let days = (0..30).filter_map(|n| day("2026-11-24").checked_add_days(Days::new(n))).collect();
    store.store_days(&[between(2, 24, &next, &team(6))], &days).await.unwrap();
    assert_eq!(other.team(1).await.unwrap(), Some(next));
}

pub async fn clubs_are_determined_again_with_each_batch([store, other]: Stores) {
    let (old, new) = (named(59, "Utah Hockey Club"), named(68, "Utah Mammoth"));
    store.store(&[between(1, 0, &old, &team(6)), between(2, 48, &new, &team(6))]).await.unwrap();
    // The NHL returns to the old id.
    store.store(&[between(3, 72, &old, &team(6))]).await.unwrap();
    for id in [59, 68] {
        assert_eq!(other.team(id).await.unwrap(), Some(old.clone()));
    }
    // It changes its abbreviation, and its earlier games stay with it.
    let moved = Team { abbreviation: "SLC".to_owned(), ..old };
    store.store(&[between(4, 96, &moved, &team(6))]).await.unwrap();
    assert_eq!(other.team(68).await.unwrap(), Some(moved));
    // All-star teams do not belong to a club, whatever their abbreviation.
    let stars = Team { abbreviation: "T6".to_owned(), ..named(99, "Stars") };
    let show = Game { kind: GameKind::Other, ..between(5, 120, &stars, &named(98, "Others")) };
    store.store(&[show]).await.unwrap();
    assert_eq!(other.team(6).await.unwrap(), Some(team(6)));
    assert_eq!(other.team(99).await.unwrap(), Some(stars));
    assert_eq!(other.team(4242).await.unwrap(), None);
}

pub async fn updates_change_stored_games_only([store, other]: Stores) {
    store.store(&[game(1, 0), game(2, 0)]).await.unwrap();
    let update = |id| GameUpdate {
        id,
        day: day("2026-11-24"),
        starts_at: at(1),
        is_time_open: false,
        state: GameState::Live,
        score: Some(Score { away: 2, home: 1 }),
    };
    assert_eq!(other.update(&[update(3), update(2)]).await.unwrap(), 1);
    assert_eq!(other.update(&[update(2)]).await.unwrap(), 0);
    let changed = Game {
        day: day("2026-11-24"),
        starts_at: at(1),
        state: GameState::Live,
        score: Some(Score { away: 2, home: 1 }),
        ..game(2, 0)
    };
    assert_eq!(all(&store).await, [game(1, 0), changed.clone()]);
    // Each single field counts as a change, in both directions.
    let was = update(2);
    let changes = [
        GameUpdate { day: day("2026-11-25"), ..was.clone() },
        GameUpdate { starts_at: at(2), ..was.clone() },
        GameUpdate { is_time_open: true, ..was.clone() },
        GameUpdate { state: GameState::Critical, ..was.clone() },
        GameUpdate { score: None, ..was.clone() },
    ];
    for change in changes {
        for given in [&change, &was] {
            assert_eq!(other.update(std::slice::from_ref(given)).await.unwrap(), 1, "{change:?}");
        }
    }
    assert_eq!(all(&store).await, [game(1, 0), changed]);
}

pub async fn one_of_many_processes_refreshes(stores: Stores) {
    let asks = (0..20).map(|n| {
        let store = stores[n % 2].clone();
        tokio::spawn(async move {
            store.begin_refresh(Refresh::Schedule, at(0), at(0), at(1)).await.unwrap()
        })
    });
    let mut leases = Vec::new();
    for ask in asks.collect::<Vec<_>>() {
        leases.extend(ask.await.unwrap());
    }
    assert_eq!(leases.len(), 1, "{leases:?}");
    // The other kind of refresh is independent.
    let scores = stores[0].begin_refresh(Refresh::Scores, at(0), at(0), at(1)).await.unwrap();
    assert!(scores.is_some());
}

pub async fn a_refresh_is_due_after_an_interval([store, other]: Stores) {
    let begin = async |now, due_before| {
        other.begin_refresh(Refresh::Schedule, at(now), at(due_before), at(now + 1)).await.unwrap()
    };
    let lease = begin(0, -6).await.unwrap();
    // After a failure, it is still due.
    store.end_refresh(lease, None).await.unwrap();
    assert_eq!(store.refreshed_at(Refresh::Schedule).await.unwrap(), None);
    let lease = begin(0, -6).await.unwrap();
    store.end_refresh(lease, Some(at(0))).await.unwrap();
    assert_eq!(store.refreshed_at(Refresh::Schedule).await.unwrap(), Some(at(0)));
    assert_eq!(begin(1, -5).await, None);
    assert!(begin(7, 1).await.is_some());
    store.note_refresh(Refresh::Schedule, at(20)).await.unwrap();
    assert_eq!(store.refreshed_at(Refresh::Schedule).await.unwrap(), Some(at(20)));
}

pub async fn an_expired_lease_has_no_effect([store, other]: Stores) {
    let begin = async |store: &Arc<dyn ScheduleRepository>, now| {
        store.begin_refresh(Refresh::Scores, at(now), at(now), at(now + 1)).await.unwrap()
    };
    let slow = begin(&store, 0).await.unwrap();
    assert_eq!(begin(&other, 0).await, None);
    let next = begin(&other, 1).await.unwrap();
    store.end_refresh(slow, Some(at(9))).await.unwrap();
    assert_eq!(store.refreshed_at(Refresh::Scores).await.unwrap(), None);
    assert_eq!(begin(&store, 1).await, None, "the other process still has the lease");
    other.end_refresh(next, Some(at(1))).await.unwrap();
    assert_eq!(store.refreshed_at(Refresh::Scores).await.unwrap(), Some(at(1)));
}

pub async fn the_same_games_are_stored_concurrently(stores: Stores) {
    let games: Vec<Game> = (1..=100).map(|n| game(n, n)).collect();
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (store, mut games) = (stores[n % 2].clone(), games.clone());
            if n % 3 == 0 {
                games.reverse();
            }
            tokio::spawn(async move { store.store(&games).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        let stored = task.await.unwrap();
        assert_eq!(stored.changed, 0);
        new += stored.new;
    }
    assert_eq!(new, 100);
}

/// A realistic game: team n plays at home against team n + 1.
fn game(id: i64, hour: i64) -> Game {
    Game {
        id,
        season: 20_262_027,
        kind: GameKind::Regular,
        day: at(hour).date_naive(),
        starts_at: at(hour),
        is_time_open: false,
        away: team(id + 1),
        home: team(id),
        venue: "Madison Square Garden".to_owned(),
        venue_zone: Some(Tz::America__New_York),
        state: GameState::Future,
        score: None,
    }
}

fn team(id: i64) -> Team {
    Team { id, abbreviation: format!("T{id}"), name: format!("Team {id}") }
}

/// A team whose abbreviation others also have.
fn named(id: i64, name: &str) -> Team {
    Team { id, abbreviation: "UTA".to_owned(), name: name.to_owned() }
}

/// A game between two teams.
fn between(id: i64, hour: i64, away: &Team, home: &Team) -> Game {
    Game { away: away.clone(), home: home.clone(), ..game(id, hour) }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// This number of hours after the reference time.
fn at(hours: i64) -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
}

/// All games from this number of hours after the reference time.
fn from(hours: i64) -> GameFilter {
    GameFilter::from(at(hours), at(hours).date_naive())
}

async fn all(store: &Arc<dyn ScheduleRepository>) -> Vec<Game> {
    store.games(&from(-9999), 1000).await.unwrap()
}
