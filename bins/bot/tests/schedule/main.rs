//! The schedule and the settings from outside: the real program, a simulated Telegram whose people
//! press buttons, and a simulated NHL.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
#[path = "../running/mod.rs"]
mod running;

mod feed;

use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use chrono_tz::Tz;
use rollcall_domain::{Clock, Language, Preferences, SystemClock};
use rollcall_repository_diesel::{Database, DieselPreferencesRepository, DieselUserRepository};
use rollcall_service::{PreferencesService, UserService};
use rollcall_simulator::{Chat, Fault, NhlApi, NhlGame, Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    chat::{ask, press},
    database::tamper,
};
use serde_json::{Value, json};

stories!(
    people_see_games_and_press_buttons,
    people_choose_their_settings,
    an_own_choice_is_never_overwritten,
    every_press_is_answered_once_whatever_it_is,
    what_others_make_up_changes_nothing,
    a_message_that_is_so_already_is_fine,
    in_a_group_there_are_games_but_no_settings,
    the_schedule_outlives_the_nhl,
    a_database_that_is_away_has_its_own_text,
    many_press_at_once,
);

/// A start so many minutes from now, in RFC 3339.
fn in_minutes(minutes: i64) -> String {
    let at = SystemClock.now() + TimeDelta::minutes(minutes);
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn nhl() -> NhlApi {
    let nhl = NhlApi::start().await.unwrap();
    nhl.put(NhlGame::new(1, "BOS", "MTL", &in_minutes(-30)).state("LIVE").score(2, 1));
    nhl.put(NhlGame::new(2, "NYR", "TOR", &in_minutes(60 * 24 * 8)));
    nhl.put(NhlGame::new(3, "TOR", "BOS", &in_minutes(60 * 24 * 9)));
    nhl
}

/// A bot that has fetched the schedule.
async fn start(telegram: &Simulator, database: &ThrowAwayDatabase, nhl: &NhlApi) -> RunningBot {
    let url = nhl.url();
    let bot = RunningBot::start(telegram, database, &[("NHL_API_URL", &url)]).await;
    bot.said("fetched the schedule").await;
    bot
}

fn ada() -> Person {
    Person::new(1815, "Ada").language_code("en")
}

/// What popped up, oldest first, with the presses that it answered.
fn answers(telegram: &Simulator) -> Vec<(String, Option<String>)> {
    let text = |params: &Value, name: &str| params[name].as_str().map(str::to_owned);
    let answers = telegram.requests_to("answerCallbackQuery");
    answers
        .iter()
        .map(|it| (text(&it.params, "callback_query_id").unwrap(), text(&it.params, "text")))
        .collect()
}

async fn open(database: &ThrowAwayDatabase) -> Database {
    Database::open_existing(database.url().parse().unwrap()).await.unwrap()
}

async fn chosen(database: &ThrowAwayDatabase, id: i64) -> Preferences {
    let service = PreferencesService::new(DieselPreferencesRepository::new(open(database).await));
    service.preferences(id.try_into().unwrap()).await.unwrap()
}

async fn people_see_games_and_press_buttons(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    let bot = start(&telegram, &database, &nhl).await;
    let next = ask(&telegram, &ada(), "/schedule").await;
    assert!(next.text.starts_with("Next games\n\n"), "{}", next.text);
    assert!(next.text.contains("🔴 Boston Bruins 2, Montréal Canadiens 1 · live"), "{}", next.text);
    assert!(next.text.contains("M  New York Rangers @ Toronto Maple Leafs"), "{}", next.text);
    assert!(next.text.ends_with("Times are in UTC. Choose your time zone in /settings."));

    let teams = press(&telegram, &ada(), &next, "By team…").await;
    assert_eq!(teams.text, "Which team?");
    let names: Vec<String> = teams.buttons().into_iter().map(|button| button.text).collect();
    assert_eq!(names, ["Boston Bruins", "Montréal Canadiens", "Toronto Maple Leafs", "« Back"]);
    let bruins = press(&telegram, &ada(), &teams, "Boston Bruins").await;
    assert!(bruins.text.starts_with("Boston Bruins\n\n"), "{}", bruins.text);
    assert!(bruins.text.contains("Toronto Maple Leafs @ Boston Bruins"), "{}", bruins.text);
    assert!(!bruins.text.contains("Rangers"));
    let tomorrow = press(&telegram, &ada(), &bruins, "Tomorrow").await;
    assert_eq!(tomorrow.text, "No games are scheduled for tomorrow.");
    let again = press(&telegram, &ada(), &tomorrow, "Next games").await;
    assert_eq!(again.text, next.text);
    assert_eq!(telegram.messages_to(1815).len(), 1, "all of it in one message");
    bot.terminate().await;
    assert_eq!(answers(&telegram).len(), 4);
}

async fn people_choose_their_settings(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    let bot = start(&telegram, &database, &nhl).await;
    let ada = ada();
    let mut message = ask(&telegram, &ada, "/settings").await;
    assert!(message.text.starts_with("Settings\n\nLanguage: English, as in Telegram\n"));
    for label in ["Language", "Deutsch", "Zeitzone", "Europa", "Berlin", "Teams", "Boston Bruins"] {
        message = press(&telegram, &ada, &message, label).await;
    }
    message = press(&telegram, &ada, &message, "« Zurück").await;
    assert!(message.text.contains("Zeitzone: Europe/Berlin (jetzt "), "{}", message.text);
    assert!(message.text.ends_with("Teams: Boston Bruins"), "{}", message.text);
    let expected = Preferences {
        language: Some(Language::German),
        time_zone: Some(Tz::Europe__Berlin),
        favourite_teams: [6].into(),
    };
    assert_eq!(chosen(&database, 1815).await, expected);

    // From now on everything is as they like it.
    let games = ask(&telegram, &ada, "/schedule").await;
    assert!(
        games.text.contains("Montréal Canadiens 1 : 2 Boston Bruins ★ · läuft"),
        "{}",
        games.text
    );
    assert!(games.text.ends_with("Alle Zeiten in der Zeitzone Berlin."), "{}", games.text);
    let mine = press(&telegram, &ada, &games, "Meine Teams").await;
    assert!(mine.text.contains("Boston Bruins") && !mine.text.contains("Rangers"));

    // And back to what everybody has.
    let mut message = ask(&telegram, &ada, "/settings").await;
    for label in
        ["Teams", "★ Boston Bruins", "« Zurück", "Zeitzone", "UTC", "Sprache", "Wie in Telegram"]
    {
        message = press(&telegram, &ada, &message, label).await;
    }
    assert!(message.text.starts_with("Settings\n"), "{}", message.text);
    assert_eq!(chosen(&database, 1815).await, Preferences::default());

    let saved = answers(&telegram).into_iter().filter_map(|(_, text)| text);
    let expected =
        ["Gespeichert", "Gespeichert", "Gespeichert", "Gespeichert", "Gespeichert", "Saved"];
    assert_eq!(saved.collect::<Vec<_>>(), expected);
    bot.terminate().await;
}

async fn an_own_choice_is_never_overwritten(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    let bot = start(&telegram, &database, &nhl).await;
    let ada = |code: &str| Person::new(1815, "Ada").language_code(code);
    // By default what Telegram says, also when that changes.
    for (code, help) in [("ru-RU", "начать"), ("de", "Hallo sagen"), ("fr", "say hello")] {
        assert!(ask(&telegram, &ada(code), "/help").await.text.contains(help), "{code}");
    }
    let message = ask(&telegram, &ada("de"), "/settings").await;
    let message = press(&telegram, &ada("de"), &message, "Sprache").await;
    press(&telegram, &ada("de"), &message, "Русский").await;
    for code in ["de", "en", "ru"] {
        assert!(ask(&telegram, &ada(code), "/help").await.text.contains("начать"), "{code}");
    }
    bot.terminate().await;
}

async fn every_press_is_answered_once_whatever_it_is(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    let bot = start(&telegram, &database, &nhl).await;
    let message = ask(&telegram, &ada(), "/schedule").await;
    let ids: Vec<String> = (0..8).map(|n| format!("press-{n}")).collect();
    let below =
        |data: &str| Update::callback_query(&ada(), data).with("message", message.json.clone());
    let presses = [
        below("1/s/today"),
        below("1/s/today"),
        below("nonsense"),
        below("1/s/today").without("data"),
        Update::inline_callback_query(&ada(), "1/s/today"),
        Update::callback_query(&ada(), "1/s/week").with(
            "message",
            json!({
                "message_id": 999_999, "date": 0, "chat": Chat::private(&ada()),
            }),
        ),
        below("0/s/today"),
        below("1/p/tz/Europe/Atlantis"),
    ];
    let mut last = 0;
    for (press, id) in presses.into_iter().zip(&ids) {
        last = telegram.push(press.with("id", id.as_str()));
    }
    telegram.wait_until_confirmed(last).await.unwrap();
    telegram.wait_for_requests("answerCallbackQuery", 8).await.unwrap();
    // Telegram is busy: it has not taken the answer, so it is given again.
    telegram.fail_next("answerCallbackQuery", Fault::internal());
    telegram.push(below("1/p").with("id", "busy"));
    telegram.wait_for_requests("answerCallbackQuery", 10).await.unwrap();
    bot.terminate().await;

    let answers = answers(&telegram);
    let of = |id: &str| answers.iter().filter(|(it, _)| it == id).collect::<Vec<_>>();
    for id in &ids {
        assert_eq!(of(id).len(), 1, "{id}: {answers:?}");
    }
    assert_eq!(of("busy").len(), 2);
    let stale = "This button no longer works. Please send the command again.";
    for id in [2, 3, 4, 6, 7] {
        assert_eq!(of(&ids[id])[0].1.as_deref(), Some(stale), "{id}");
    }
    for id in [0, 1, 5] {
        assert_eq!(of(&ids[id])[0].1, None, "{id}");
    }
}

async fn what_others_make_up_changes_nothing(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    let bot = start(&telegram, &database, &nhl).await;
    let (ada, mallory) = (ada(), Person::new(666, "Mallory").language_code("en"));
    let settings = ask(&telegram, &ada, "/settings").await;
    ask(&telegram, &mallory, "/start").await;
    let made_up = [
        "1/p/lang/xx",
        "1/p/tz/Europe/Atlantis",
        "1/p/tz/../../etc/localtime",
        "1/p/fav/0/424242/1",
        "1/p/fav/0/-6/1",
        "1/p/zone/Moon/0",
        "2/p/lang/de",
        "'; DROP TABLE preferences; --",
    ];
    for data in made_up {
        telegram.press(&ada, &settings, data);
    }
    // Somebody else presses what is good below Ada's message.
    telegram.press(&mallory, &settings, "1/p/lang/de");
    telegram.press(&mallory, &settings, "1/p");
    telegram.wait_for_requests("answerCallbackQuery", 10).await.unwrap();
    telegram.wait_until_drained().await.unwrap();
    bot.terminate().await;
    assert_eq!(chosen(&database, 1815).await, Preferences::default());
    assert_eq!(chosen(&database, 666).await, Preferences::default());
    assert!(answers(&telegram).iter().all(|(_, text)| text.is_some()));
    assert_eq!(telegram.messages_to(1815), [settings], "the message is as it was");
}

async fn a_message_that_is_so_already_is_fine(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    let bot = start(&telegram, &database, &nhl).await;
    let message = ask(&telegram, &ada(), "/schedule").await;
    telegram.press(&ada(), &message, "1/s/tomorrow");
    let tomorrow = telegram.wait_for_edit(&message).await.unwrap();
    telegram.press(&ada(), &message, "1/s/tomorrow");
    telegram.wait_for_requests("editMessageText", 2).await.unwrap();
    let log = bot.terminate().await;
    assert_eq!(telegram.messages_to(1815), [tomorrow]);
    assert!(!log.contains("WARN"), "{log}");
}

async fn in_a_group_there_are_games_but_no_settings(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    let bot = start(&telegram, &database, &nhl).await;
    let group = Chat::supergroup(-1_001_234, "Fans");
    telegram.push(Update::text(&ada(), "/settings").in_chat(&group));
    let answer = telegram.wait_for_message(group.id).await.unwrap();
    assert_eq!(
        answer.text,
        "Settings are available only in our private chat: send me /settings there."
    );
    telegram.push(Update::text(&ada(), "/schedule").in_chat(&group));
    let games = telegram.wait_for_message(group.id).await.unwrap();
    // Anybody there may press.
    let bob = Person::new(7, "Bob").language_code("de");
    let tomorrow = press(&telegram, &bob, &games, "Tomorrow").await;
    assert_eq!(tomorrow.text, "Für morgen sind keine Spiele angesetzt.");
    telegram.press(&bob, &games, "1/p/lang/ru");
    telegram.wait_for_requests("answerCallbackQuery", 2).await.unwrap();
    bot.terminate().await;
    assert_eq!(chosen(&database, 7).await, Preferences::default());
}

async fn the_schedule_outlives_the_nhl(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    start(&telegram, &database, &nhl).await.terminate().await;
    // Two days later the NHL is not to be reached.
    let long_ago = (SystemClock.now() - TimeDelta::days(2)).format("%Y-%m-%d %H:%M:%S%.6f");
    tamper(&database, &format!("UPDATE refreshes SET refreshed_at = '{long_ago}'"));
    nhl.fail_always(Fault::Body {
        status: 503,
        content_type: "text/html".to_owned(),
        body: "<html>".to_owned(),
    });
    let url = nhl.url();
    let bot = RunningBot::start(&telegram, &database, &[("NHL_API_URL", &url)]).await;
    let games = ask(&telegram, &ada(), "/schedule").await;
    assert!(games.text.contains("New York Rangers @ Toronto Maple Leafs"), "{}", games.text);
    let old = "⚠️ This may be out of date: last updated ";
    assert!(games.text.contains(old), "{}", games.text);
    bot.said("cannot fetch the schedule").await;
    bot.terminate().await;
}

async fn a_database_that_is_away_has_its_own_text(database: ThrowAwayDatabase) {
    let (telegram, nhl) = (Simulator::start().await.unwrap(), nhl().await);
    let bot = start(&telegram, &database, &nhl).await;
    // Before anybody asks: the next games are given out for a second.
    tamper(&database, "ALTER TABLE games RENAME TO games_elsewhere");
    let answer = ask(&telegram, &ada(), "/schedule").await;
    let failed = "Sorry, the schedule is not available right now. Please try again in a minute.";
    assert_eq!(answer.text, failed);
    assert!(answer.button("Next games").is_none() && !answer.buttons().is_empty());
    tamper(&database, "ALTER TABLE games_elsewhere RENAME TO games");
    let games = press(&telegram, &ada(), &answer, "This week").await;
    assert_ne!(games.text, failed);
    tamper(&database, "ALTER TABLE games RENAME TO games_elsewhere");
    let pressed = press(&telegram, &ada(), &games, "Today").await;
    assert_eq!(pressed.text, failed);
    tamper(&database, "ALTER TABLE games_elsewhere RENAME TO games");
    tamper(&database, "ALTER TABLE preferences RENAME TO preferences_elsewhere");
    telegram.press(&ada(), &games, "1/p");
    telegram.wait_for_requests("answerCallbackQuery", 3).await.unwrap();
    bot.terminate().await;
    let message = answers(&telegram).pop().unwrap().1.unwrap();
    assert_eq!(message, "Sorry, that did not work. Please try again in a minute.");
}

async fn many_press_at_once(database: ThrowAwayDatabase) {
    let telegram =
        Simulator::builder().wait_timeout(Duration::from_secs(30)).start().await.unwrap();
    let nhl = NhlApi::start().await.unwrap();
    nhl.generate_season();
    let bot = start(&telegram, &database, &nhl).await;
    let people: Vec<Person> = (1..=20).map(|n| Person::new(n, format!("Person {n}"))).collect();
    for person in &people {
        let message = ask(&telegram, person, "/schedule").await;
        for data in ["1/s/week", "1/s/teams/1", "1/s/today"] {
            telegram.press(person, &message, data);
        }
        telegram.press(person, &message, "1/p/tz/America/New_York");
    }
    telegram.wait_for_requests("answerCallbackQuery", 80).await.unwrap();
    telegram.wait_until_drained().await.unwrap();
    bot.terminate().await;
    let mut ids: Vec<String> = answers(&telegram).into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 80, "each press has an answer of its own");
    for person in &people {
        assert_eq!(chosen(&database, person.id).await.time_zone, Some(Tz::America__New_York));
    }
    // Erasing a person erases what they have chosen.
    let database = open(&database).await;
    let users = UserService::new(DieselUserRepository::new(database.clone()), SystemClock);
    users.delete_users(&[1.try_into().unwrap()]).await.unwrap();
    let preferences = PreferencesService::new(DieselPreferencesRepository::new(database));
    let left = preferences.preferences(1.try_into().unwrap()).await.unwrap();
    assert_eq!(left, Preferences::default());
}
