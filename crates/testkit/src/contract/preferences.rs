//! The contract of [`PreferencesRepository`]: the name of each function states its rule.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    Game, GameKind, GameState, Interaction, InteractionKind, Language, MAX_FAVOURITES, Preferences,
    Profile, Team, TelegramId,
};
use rollcall_repository::{PreferencesRepository, ScheduleRepository, UserRepository};

/// Generates a test of each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! preferences_repository_contract {
    ($open:path) => {
        $crate::contract!($open, preferences:
            no_preferences_are_set_at_first,
            setting_one_preference_keeps_the_others,
            unknown_users_have_no_preferences,
            preferences_of_several_users_are_read_together,
            favourites_are_known_clubs_and_limited,
            a_favourite_is_a_club_under_any_of_its_ids,
            preferences_belong_to_one_user,
            preferences_are_deleted_with_the_user,
            preferences_are_not_stored_for_erased_users,
        );
    };
}

/// The preferences, users and games of one database.
pub type Store =
    (Arc<dyn PreferencesRepository>, Arc<dyn UserRepository>, Arc<dyn ScheduleRepository>);

pub async fn no_preferences_are_set_at_first([(store, ..), _]: [Store; 2]) {
    assert_eq!(chosen_by(&*store, id(1)).await, Preferences::default());
}

pub async fn setting_one_preference_keeps_the_others(
    [(store, users, games), (other, ..)]: [Store; 2],
) {
    come(&users, 1).await;
    play(&games, 4).await;
    assert!(store.set_language(id(1), Some(Language::German)).await.unwrap());
    assert!(other.set_time_zone(id(1), Some(Tz::America__New_York)).await.unwrap());
    for team in [3, 1] {
        assert!(store.set_favourite(id(1), team, true).await.unwrap());
    }
    let mut chosen = Preferences {
        language: Some(Language::German),
        time_zone: Some(Tz::America__New_York),
        favourite_teams: [1, 3].into(),
    };
    assert_eq!(chosen_by(&*other, id(1)).await, chosen);

    assert!(other.set_language(id(1), None).await.unwrap());
    chosen.language = None;
    assert_eq!(chosen_by(&*store, id(1)).await, chosen);
    assert!(store.set_time_zone(id(1), None).await.unwrap());
    chosen.time_zone = None;
    assert!(store.set_favourite(id(1), 3, false).await.unwrap());
    chosen.favourite_teams = [1].into();
    assert_eq!(chosen_by(&*other, id(1)).await, chosen);

    // Setting a favourite again has no effect.
    assert!(store.set_favourite(id(1), 1, true).await.unwrap());
    assert!(store.set_favourite(id(1), 2, false).await.unwrap());
    assert!(store.set_language(id(1), None).await.unwrap());
    assert_eq!(chosen_by(&*other, id(1)).await, chosen);
}

pub async fn unknown_users_have_no_preferences([(store, _, games), _]: [Store; 2]) {
    play(&games, 4).await;
    assert!(!store.set_language(id(5), Some(Language::Russian)).await.unwrap());
    assert!(!store.set_time_zone(id(5), Some(Tz::UTC)).await.unwrap());
    assert!(!store.set_favourite(id(5), 1, true).await.unwrap());
    assert_eq!(chosen_by(&*store, id(5)).await, Preferences::default());
}

pub async fn preferences_of_several_users_are_read_together(
    [(store, users, games), _]: [Store; 2],
) {
    come(&users, 1).await;
    come(&users, 2).await;
    come(&users, 3).await;
    play(&games, 4).await;
    assert!(store.set_language(id(1), Some(Language::German)).await.unwrap());
    assert!(store.set_favourite(id(1), 4, true).await.unwrap());
    assert!(store.set_favourite(id(3), 2, true).await.unwrap());
    let chosen = store.preferences(&[id(3), id(1), id(2), id(9)]).await.unwrap();
    let first = Preferences {
        language: Some(Language::German),
        favourite_teams: [4].into(),
        ..Preferences::default()
    };
    let third = Preferences { favourite_teams: [2].into(), ..Preferences::default() };
    assert_eq!(chosen, [(id(1), first), (id(3), third)].into());
    assert_eq!(store.preferences(&[]).await.unwrap(), [].into());
}

pub async fn favourites_are_known_clubs_and_limited([(store, users, games), _]: [Store; 2]) {
    let most = i64::from(MAX_FAVOURITES);
    come(&users, 1).await;
    play(&games, most + 2).await;
    assert!(!store.set_favourite(id(1), 9999, true).await.unwrap());
    for team in 1..=most {
        assert!(store.set_favourite(id(1), team, true).await.unwrap(), "{team}");
    }
    assert!(!store.set_favourite(id(1), most + 1, true).await.unwrap());
    assert!(store.set_favourite(id(1), 1, true).await.unwrap(), "it is a favourite already");
    assert!(store.set_favourite(id(1), 1, false).await.unwrap());
    assert!(store.set_favourite(id(1), most + 1, true).await.unwrap());
    let favourites = chosen_by(&*store, id(1)).await.favourite_teams;
    assert_eq!(favourites, (2..=most + 1).collect::<BTreeSet<_>>());
}

pub async fn a_favourite_is_a_club_under_any_of_its_ids([(store, users, games), _]: [Store; 2]) {
    come(&users, 1).await;
    come(&users, 2).await;
    let most = i64::from(MAX_FAVOURITES);
    play(&games, most + 2).await;
    let utah = |id, days| Game {
        away: Team { abbreviation: "UTA".to_owned(), ..team(id) },
        home: team(1),
        starts_at: at() + TimeDelta::days(days),
        ..game(id)
    };
    games.store(&[utah(1001, 1)]).await.unwrap();
    assert!(store.set_favourite(id(1), 1001, true).await.unwrap());
    assert!(store.set_favourite(id(2), 1001, true).await.unwrap());
    // The club receives another id.
    games.store(&[utah(1002, 9)]).await.unwrap();
    let favourites = async |n| chosen_by(&*store, id(n)).await.favourite_teams;
    assert_eq!(favourites(1).await, [1002].into());
    // Set under both ids, it is one favourite.
    assert!(store.set_favourite(id(1), 1002, true).await.unwrap());
    assert!(store.set_favourite(id(1), 1001, true).await.unwrap());
    assert_eq!(favourites(1).await, [1002].into());
    for team in 1..most {
        assert!(store.set_favourite(id(1), team, true).await.unwrap(), "{team}");
    }
    assert!(!store.set_favourite(id(1), most, true).await.unwrap());
    assert!(store.set_favourite(id(1), 1001, true).await.unwrap(), "it is a favourite already");
    // It can be removed under either id.
    for (n, team) in [(1, 1001), (2, 1002)] {
        assert!(store.set_favourite(id(n), team, false).await.unwrap());
        assert!(!favourites(n).await.contains(&1002));
    }
    assert_eq!(favourites(1).await, (1..most).collect::<BTreeSet<_>>());
    assert!(store.set_favourite(id(2), 1001, true).await.unwrap());
    assert_eq!(favourites(2).await, [1002].into());
}

pub async fn preferences_belong_to_one_user([(store, users, games), _]: [Store; 2]) {
    come(&users, 1).await;
    come(&users, 2).await;
    play(&games, 2).await;
    store.set_language(id(1), Some(Language::Russian)).await.unwrap();
    store.set_favourite(id(1), 1, true).await.unwrap();
    store.set_favourite(id(2), 2, true).await.unwrap();
    let second = Preferences { favourite_teams: [2].into(), ..Default::default() };
    assert_eq!(chosen_by(&*store, id(2)).await, second);
}

pub async fn preferences_are_deleted_with_the_user([(store, users, games), _]: [Store; 2]) {
    play(&games, 2).await;
    for n in [1, 2] {
        come(&users, n).await;
        store.set_language(id(n), Some(Language::German)).await.unwrap();
        store.set_favourite(id(n), 1, true).await.unwrap();
    }
    assert_eq!(users.delete(&[id(1)]).await.unwrap(), 1);
    assert_eq!(chosen_by(&*store, id(1)).await, Preferences::default());
    assert!(chosen_by(&*store, id(2)).await != Preferences::default());
    // A user who returns has no preferences.
    come(&users, 1).await;
    assert_eq!(chosen_by(&*store, id(1)).await, Preferences::default());
}

/// A user presses buttons while they are erased: in any order, no preference of an erased user is
/// left.
pub async fn preferences_are_not_stored_for_erased_users(stores: [Store; 2]) {
    let (store, users, games) = stores[0].clone();
    play(&games, 8).await;
    for round in 1..=10 {
        come(&users, round).await;
        let mut tasks = Vec::new();
        for team in 1..=8 {
            let chooser = stores[usize::from(team % 2 == 0)].0.clone();
            tasks.push(tokio::spawn(async move {
                chooser.set_language(id(round), Some(Language::German)).await.unwrap();
                chooser.set_favourite(id(round), team, true).await.unwrap();
            }));
        }
        let eraser = users.clone();
        tasks.push(tokio::spawn(async move {
            eraser.delete(&[id(round)]).await.unwrap();
        }));
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(chosen_by(&*store, id(round)).await, Preferences::default());
    }
}

/// The preferences of a user.
async fn chosen_by(store: &dyn PreferencesRepository, id: TelegramId) -> Preferences {
    store.preferences(&[id]).await.unwrap().remove(&id).unwrap_or_default()
}

fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}

fn at() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

async fn come(users: &Arc<dyn UserRepository>, n: i64) {
    let users = users.clone();
    let interaction = Interaction::new(at(), Profile::new(id(n), "Ada"), InteractionKind::Text);
    let register = move || users.register(&vec![interaction].into(), at()).unwrap();
    tokio::task::spawn_blocking(register).await.unwrap();
}

/// Stores games of the teams 1 to `teams`.
async fn play(games: &Arc<dyn ScheduleRepository>, teams: i64) {
    let all: Vec<Game> = (1..teams).map(game).collect();
    games.store(&all).await.unwrap();
}

fn team(id: i64) -> Team {
    Team { id, abbreviation: format!("T{id}"), name: format!("Team {id}") }
}

/// A game of team n at team n + 1.
fn game(n: i64) -> Game {
    Game {
        id: n,
        season: 20_262_027,
        kind: GameKind::Regular,
        day: at().date_naive(),
        starts_at: at(),
        is_time_open: false,
        away: team(n),
        home: team(n + 1),
        venue: String::new(),
        venue_zone: None,
        state: GameState::Future,
        score: None,
    }
}
