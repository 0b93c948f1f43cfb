//! The contract of [`PreferencesRepository`]: each function tells its rule by its name.
#![expect(missing_docs, reason = "each function tells its rule by its name")]

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rollcall_domain::{
    Game, GameKind, GameState, Interaction, InteractionKind, Language, MAX_FAVOURITES, Preferences,
    Profile, Team, TelegramId,
};
use rollcall_repository::{PreferencesRepository, ScheduleRepository, UserRepository};

/// Generates a test for each contract on each database; see
/// [`user_repository_contract!`](crate::user_repository_contract).
#[macro_export]
macro_rules! preferences_repository_contract {
    ($open:path) => {
        $crate::contract!($open, preferences:
            nothing_is_chosen_at_first,
            each_choice_leaves_the_others,
            nothing_is_chosen_for_strangers,
            choices_of_several_are_read_together,
            favourites_are_known_and_not_too_many,
            a_favourite_is_a_club_under_whichever_id,
            people_choose_for_themselves,
            choices_go_with_the_person,
            many_choose_at_once,
        );
    };
}

/// What a contract is given of one database: choices, the users who make them, and games.
pub type Store =
    (Arc<dyn PreferencesRepository>, Arc<dyn UserRepository>, Arc<dyn ScheduleRepository>);

pub async fn nothing_is_chosen_at_first([(store, ..), _]: [Store; 2]) {
    assert_eq!(chosen_by(&*store, id(1)).await, Preferences::default());
}

pub async fn each_choice_leaves_the_others([(store, users, games), (other, ..)]: [Store; 2]) {
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

    // What is so already is so.
    assert!(store.set_favourite(id(1), 1, true).await.unwrap());
    assert!(store.set_favourite(id(1), 2, false).await.unwrap());
    assert!(store.set_language(id(1), None).await.unwrap());
    assert_eq!(chosen_by(&*other, id(1)).await, chosen);
}

pub async fn nothing_is_chosen_for_strangers([(store, _, games), _]: [Store; 2]) {
    play(&games, 4).await;
    assert!(!store.set_language(id(5), Some(Language::Russian)).await.unwrap());
    assert!(!store.set_time_zone(id(5), Some(Tz::UTC)).await.unwrap());
    assert!(!store.set_favourite(id(5), 1, true).await.unwrap());
    assert_eq!(chosen_by(&*store, id(5)).await, Preferences::default());
}

pub async fn choices_of_several_are_read_together([(store, users, games), _]: [Store; 2]) {
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

pub async fn favourites_are_known_and_not_too_many([(store, users, games), _]: [Store; 2]) {
    let most = i64::from(MAX_FAVOURITES);
    come(&users, 1).await;
    play(&games, most + 2).await;
    assert!(!store.set_favourite(id(1), 9999, true).await.unwrap());
    for team in 1..=most {
        assert!(store.set_favourite(id(1), team, true).await.unwrap(), "{team}");
    }
    assert!(!store.set_favourite(id(1), most + 1, true).await.unwrap());
    assert!(store.set_favourite(id(1), 1, true).await.unwrap(), "it is one already");
    assert!(store.set_favourite(id(1), 1, false).await.unwrap());
    assert!(store.set_favourite(id(1), most + 1, true).await.unwrap());
    let favourites = chosen_by(&*store, id(1)).await.favourite_teams;
    assert_eq!(favourites, (2..=most + 1).collect::<BTreeSet<_>>());
}

pub async fn a_favourite_is_a_club_under_whichever_id([(store, users, games), _]: [Store; 2]) {
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
    // The club gets another id.
    games.store(&[utah(1002, 9)]).await.unwrap();
    let favourites = async |n| chosen_by(&*store, id(n)).await.favourite_teams;
    assert_eq!(favourites(1).await, [1002].into());
    // Chosen under both, it is one, and it counts as one.
    assert!(store.set_favourite(id(1), 1002, true).await.unwrap());
    assert!(store.set_favourite(id(1), 1001, true).await.unwrap());
    assert_eq!(favourites(1).await, [1002].into());
    for team in 1..most {
        assert!(store.set_favourite(id(1), team, true).await.unwrap(), "{team}");
    }
    assert!(!store.set_favourite(id(1), most, true).await.unwrap());
    assert!(store.set_favourite(id(1), 1001, true).await.unwrap(), "it is one already");
    // And it goes under either.
    for (n, team) in [(1, 1001), (2, 1002)] {
        assert!(store.set_favourite(id(n), team, false).await.unwrap());
        assert!(!favourites(n).await.contains(&1002));
    }
    assert_eq!(favourites(1).await, (1..most).collect::<BTreeSet<_>>());
    assert!(store.set_favourite(id(2), 1001, true).await.unwrap());
    assert_eq!(favourites(2).await, [1002].into());
}

pub async fn people_choose_for_themselves([(store, users, games), _]: [Store; 2]) {
    come(&users, 1).await;
    come(&users, 2).await;
    play(&games, 2).await;
    store.set_language(id(1), Some(Language::Russian)).await.unwrap();
    store.set_favourite(id(1), 1, true).await.unwrap();
    store.set_favourite(id(2), 2, true).await.unwrap();
    let second = Preferences { favourite_teams: [2].into(), ..Default::default() };
    assert_eq!(chosen_by(&*store, id(2)).await, second);
}

pub async fn choices_go_with_the_person([(store, users, games), _]: [Store; 2]) {
    play(&games, 2).await;
    for n in [1, 2] {
        come(&users, n).await;
        store.set_language(id(n), Some(Language::German)).await.unwrap();
        store.set_favourite(id(n), 1, true).await.unwrap();
    }
    assert_eq!(users.delete(&[id(1)]).await.unwrap(), 1);
    assert_eq!(chosen_by(&*store, id(1)).await, Preferences::default());
    assert!(chosen_by(&*store, id(2)).await != Preferences::default());
    // Who comes again begins anew.
    come(&users, 1).await;
    assert_eq!(chosen_by(&*store, id(1)).await, Preferences::default());
}

/// Somebody presses buttons while being erased: whatever comes first, nothing is left of somebody
/// who is not there.
pub async fn many_choose_at_once(stores: [Store; 2]) {
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

/// What a user has chosen.
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

/// Makes the teams 1 to `teams` known.
async fn play(games: &Arc<dyn ScheduleRepository>, teams: i64) {
    let all: Vec<Game> = (1..teams).map(game).collect();
    games.store(&all).await.unwrap();
}

fn team(id: i64) -> Team {
    Team { id, abbreviation: format!("T{id}"), name: format!("Team {id}") }
}

/// A game of a team at the next one's.
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
