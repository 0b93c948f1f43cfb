//! The contract of [`ScheduleRepository`]: each function tells its rule by its name.
#![expect(missing_docs, reason = "each function tells its rule by its name")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{Game, GameKind, GameState, GameUpdate, Score, Team};
use rollcall_repository::{GameFilter, Refresh, ScheduleRepository, StoredGames};

/// Generates a test for each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! schedule_repository_contract {
    ($open:path) => {
        $crate::contract!($open, schedule:
            there_are_no_games_at_first,
            games_are_stored_as_they_are,
            only_what_differs_is_written,
            the_last_of_several_with_one_id_counts,
            games_are_found_by_time_state_and_team,
            teams_are_those_of_the_season,
            updates_change_known_games_only,
            one_of_many_refreshes,
            a_refresh_is_due_once_in_a_while,
            a_lease_that_ended_gives_nothing_back,
            many_store_the_same_at_once,
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

pub async fn games_are_stored_as_they_are([store, other]: Stores) {
    let plain = game(1, 0);
    let odd = Game {
        season: 20_252_026,
        kind: GameKind::Playoffs,
        is_time_open: true,
        venue: "Étoile \"O'Hara\" 𝄞 {\\u0041}".to_owned(),
        venue_zone: Some(Tz::America__Argentina__ComodRivadavia),
        state: GameState::Critical,
        score: Some(Score { away: 0, home: u16::MAX }),
        ..game(2, 1)
    };
    let bare = Game { venue: String::new(), venue_zone: None, ..game(3, 2) };
    let games = [plain, odd, bare];
    let stored = store.store(&games).await.unwrap();
    assert_eq!(stored, StoredGames { new: 3, ..Default::default() });
    assert_eq!(all(&other).await, games);
}

pub async fn only_what_differs_is_written([store, other]: Stores) {
    let games: Vec<Game> = (1..=60).map(|n| game(n, n)).collect();
    let stored = store.store(&games).await.unwrap();
    assert_eq!(stored, StoredGames { new: 60, changed: 0, unchanged: 0 });
    let stored = other.store(&games).await.unwrap();
    assert_eq!(stored, StoredGames { new: 0, changed: 0, unchanged: 60 });

    // Each field by itself is a change, back and forth.
    let first = games[0].clone();
    let changes = [
        Game { season: 1, ..first.clone() },
        Game { kind: GameKind::Other, ..first.clone() },
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
            assert_eq!(stored, StoredGames { new: 0, changed: 1, unchanged: 1 }, "{change:?}");
            assert_eq!(&all(&other).await.iter().find(|it| it.id == 1).unwrap(), &given);
        }
    }
    // A team that is renamed is so in all of its games, and no game has changed.
    let renamed = Team { name: "Utah Mammoth".to_owned(), ..first.home.clone() };
    let batch = [Game { home: renamed.clone(), ..first }];
    let stored = store.store(&batch).await.unwrap();
    assert_eq!(stored, StoredGames { new: 0, changed: 0, unchanged: 1 });
    let games = all(&other).await;
    assert!(games.iter().filter(|game| game.home.id == renamed.id).all(|it| it.home == renamed));
}

pub async fn the_last_of_several_with_one_id_counts([store, _]: Stores) {
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
    assert_eq!(ids(GameFilter::from(at(0)), 100).await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(ids(GameFilter::from(at(0)), 3).await, [1, 2, 3]);
    assert_eq!(ids(GameFilter::from(at(2)).until(at(5)), 100).await, [3, 4, 5]);
    assert_eq!(ids(GameFilter::from(at(0)).only_open(), 100).await, [2, 3, 5, 7]);
    // Game n is at home to team n.
    assert_eq!(ids(GameFilter::from(at(0)).of_teams([2, 6]), 100).await, [1, 2, 5, 6]);
    assert_eq!(ids(GameFilter::from(at(0)).of_teams([]), 100).await, [0; 0]);
    assert_eq!(ids(GameFilter::from(at(0)).only_open().of_teams([2, 6]), 1).await, [2]);
    // Those that begin together come in the order of their ids.
    store.store(&[game(9, 0), game(8, 0)]).await.unwrap();
    assert_eq!(ids(GameFilter::from(at(0)).until(at(1)), 100).await, [1, 8, 9]);
}

pub async fn teams_are_those_of_the_season([store, _]: Stores) {
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

pub async fn updates_change_known_games_only([store, other]: Stores) {
    store.store(&[game(1, 0), game(2, 0)]).await.unwrap();
    let update = |id| GameUpdate {
        id,
        starts_at: at(1),
        state: GameState::Live,
        score: Some(Score { away: 2, home: 1 }),
    };
    assert_eq!(other.update(&[update(3), update(2)]).await.unwrap(), 1);
    assert_eq!(other.update(&[update(2)]).await.unwrap(), 0);
    let changed = Game {
        starts_at: at(1),
        state: GameState::Live,
        score: Some(Score { away: 2, home: 1 }),
        ..game(2, 0)
    };
    assert_eq!(all(&store).await, [game(1, 0), changed]);
}

pub async fn one_of_many_refreshes(stores: Stores) {
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
    // The other kind is for itself.
    let scores = stores[0].begin_refresh(Refresh::Scores, at(0), at(0), at(1)).await.unwrap();
    assert!(scores.is_some());
}

pub async fn a_refresh_is_due_once_in_a_while([store, other]: Stores) {
    let begin = async |now, due_before| {
        other.begin_refresh(Refresh::Schedule, at(now), at(due_before), at(now + 1)).await.unwrap()
    };
    let lease = begin(0, -6).await.unwrap();
    // One that failed leaves it due.
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

pub async fn a_lease_that_ended_gives_nothing_back([store, other]: Stores) {
    let begin = async |store: &Arc<dyn ScheduleRepository>, now| {
        store.begin_refresh(Refresh::Scores, at(now), at(now), at(now + 1)).await.unwrap()
    };
    let slow = begin(&store, 0).await.unwrap();
    assert_eq!(begin(&other, 0).await, None);
    let next = begin(&other, 1).await.unwrap();
    store.end_refresh(slow, Some(at(9))).await.unwrap();
    assert_eq!(store.refreshed_at(Refresh::Scores).await.unwrap(), None);
    assert_eq!(begin(&store, 1).await, None, "the other one has it still");
    other.end_refresh(next, Some(at(1))).await.unwrap();
    assert_eq!(store.refreshed_at(Refresh::Scores).await.unwrap(), Some(at(1)));
}

pub async fn many_store_the_same_at_once(stores: Stores) {
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

/// A game in a lifelike form: team n is at home to team n + 1.
fn game(id: i64, hour: i64) -> Game {
    Game {
        id,
        season: 20_262_027,
        kind: GameKind::Regular,
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

/// So many hours after a time.
fn at(hours: i64) -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
}

async fn all(store: &Arc<dyn ScheduleRepository>) -> Vec<Game> {
    store.games(&GameFilter::from(at(-9999)), 1000).await.unwrap()
}
