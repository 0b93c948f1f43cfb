//! What the bot says and offers, and the settings for it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::fs;

use rollcall_simulator::{Chat, NhlApi, Person, SentMessage, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    chat::{ask, press},
    database::uses,
};

stories!(
    a_bot_without_the_schedule_shows_and_fetches_nothing_of_it,
    buttons_of_the_schedule_work_again_when_it_is_back,
    owners_greet_in_their_own_words,
    a_start_leads_to_what_the_bot_can_do,
    the_schedule_offers_the_time_zone,
    everyone_can_ask_for_their_id,
    the_figures_link_the_dashboard,
    known_commands_and_buttons_are_recorded_as_used,
);

const OWNER: i64 = 99;
const STALE: &str = "This button no longer works. Please send the command again.";

fn ada() -> Person {
    Person::new(1815, "Ada <3").language_code("en")
}

fn labels(message: &SentMessage) -> Vec<String> {
    message.buttons().into_iter().map(|button| button.text).collect()
}

/// The text of the latest pop-up.
fn notice(telegram: &Simulator) -> Option<String> {
    let answers = telegram.requests_to("answerCallbackQuery");
    answers.last().unwrap().params["text"].as_str().map(str::to_owned)
}

async fn a_bot_without_the_schedule_shows_and_fetches_nothing_of_it(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let nhl = NhlApi::start().await.unwrap();
    nhl.generate_season();
    let url = nhl.url();
    let owner = OWNER.to_string();
    let settings =
        [("SCHEDULE", "off"), ("NHL_API_URL", url.as_str()), ("ADMIN_TELEGRAM_IDS", &owner)];
    let bot = RunningBot::start(&telegram, &database, &settings).await;

    for request in telegram.wait_for_requests("setMyCommands", 6).await.unwrap() {
        let menu = request.params["commands"].to_string();
        for word in ["schedule", "team", "Team", "клуб"] {
            assert!(!menu.contains(word), "{word}: {menu}");
        }
    }
    let boss = Person::new(OWNER, "Boss").language_code("en");
    let start = ask(&telegram, &boss, "/start").await;
    assert!(start.text.ends_with("I keep a list of this bot's users for its owner."));
    assert_eq!(labels(&start), ["Settings", "Help"]);
    let help = press(&telegram, &boss, &start, "Help").await;
    assert!(help.text.starts_with("/start – say hello\n/settings – language and time zone\n/id"));
    assert!(help.text.contains("/stats") && !help.text.contains("/schedule"), "{}", help.text);
    let settings = ask(&telegram, &boss, "/settings").await;
    assert!(!settings.text.contains("Teams"), "{}", settings.text);
    assert_eq!(labels(&settings), ["Language", "Time zone"]);

    // Of the command and the buttons of older messages, only the buttons are answered.
    let handled = telegram.write(&boss, "/schedule");
    telegram.wait_until_confirmed(handled).await.unwrap();
    let forbidden = ["1/s/next", "1/s/team/6", "1/s/teams/0", "1/p/fav/0", "1/p/fav/0/6/1"];
    for (answers, data) in (2..).zip(forbidden) {
        telegram.press(&boss, &settings, data);
        telegram.wait_for_requests("answerCallbackQuery", answers).await.unwrap();
        assert_eq!(notice(&telegram).as_deref(), Some(STALE), "{data}");
    }
    let last = ask(&telegram, &boss, "/id").await;
    assert_eq!(last.text, "Your Telegram id: 99");
    assert_eq!(telegram.messages_to(OWNER).len(), 3);
    bot.terminate().await;
    assert_eq!(nhl.requests().len(), 0, "nothing is fetched");
    // Both of our menus are ours.
    for schedule in ["nhl", "off"] {
        let other = ThrowAwayDatabase::sqlite();
        let bot = RunningBot::cautious(&telegram, &other, &[("SCHEDULE", schedule)]);
        bot.said("ready: @").await;
        bot.terminate().await;
    }
}

async fn buttons_of_the_schedule_work_again_when_it_is_back(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let games = ask(&telegram, &ada(), "/schedule").await;
    bot.terminate().await;
    let bot = RunningBot::start(&telegram, &database, &[("SCHEDULE", "off")]).await;
    telegram.press(&ada(), &games, "1/s/today");
    telegram.wait_for_requests("answerCallbackQuery", 1).await.unwrap();
    assert_eq!(notice(&telegram).as_deref(), Some(STALE));
    bot.terminate().await;
    assert_eq!(telegram.messages_to(1815), std::slice::from_ref(&games), "it is unchanged");
    let bot = RunningBot::start(&telegram, &database, &[("SCHEDULE", "nhl")]).await;
    let today = press(&telegram, &ada(), &games, "Today").await;
    assert_eq!(today.text, "No games are scheduled for today.");
    bot.terminate().await;
}

async fn owners_greet_in_their_own_words(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("greeting.ftl");
    let settings = [("GREETING_FILE", file.to_str().unwrap()), ("SCHEDULE", "off")];
    fs::write(&file, "greeting-en = Welcome to <b>my shop</b>, { $name }!\n").unwrap();
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let start = ask(&telegram, &ada(), "/start").await;
    assert_eq!(start.text, "Welcome to my shop, \u{2068}Ada <3\u{2069}!");
    assert_eq!(labels(&start), ["Settings", "Help"]);
    // Languages that the file lacks keep ours.
    let german = Person::new(7, "Grete").language_code("de");
    let text = ask(&telegram, &german, "/start").await.text;
    assert!(text.starts_with("Hallo, \u{2068}Grete\u{2069}! Ich führe"), "{text}");
    let log = bot.terminate().await;
    assert!(!log.contains("WARN"), "{log}");

    fs::write(&file, "greeting-en = Hi\n\ngreeting-de = Hallo, { $nmae }!\n").unwrap();
    let (code, output) = RunningBot::fails(&telegram, &database, &settings).await;
    assert_eq!(code, 1, "{output}");
    let expected = format!(
        "error: GREETING_FILE: {}, line 3: {{ $nmae }} is unknown; expected {{ $name }}\n",
        file.display()
    );
    assert_eq!(output, expected);
}

async fn a_start_leads_to_what_the_bot_can_do(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    for (label, text) in [
        ("Schedule", "No games are scheduled."),
        ("Settings", "Settings\n\nLanguage: English, as in Telegram\n"),
        ("Help", "/start – say hello\n/schedule – the next games\n"),
    ] {
        let start = ask(&telegram, &ada(), "/start").await;
        assert_eq!(labels(&start), ["Schedule", "Settings", "Help"]);
        let pressed = press(&telegram, &ada(), &start, label).await;
        assert!(pressed.text.starts_with(text), "{label}: {}", pressed.text);
        assert!(!pressed.text.contains("/users"), "{}", pressed.text);
    }
    // Settings are for private chats.
    let group = Chat::supergroup(-1_001_234, "Fans");
    telegram.push(Update::text(&ada(), "/start").in_chat(&group));
    let start = telegram.wait_for_message(group.id).await.unwrap();
    assert_eq!(labels(&start), ["Schedule", "Help"]);
    press(&telegram, &ada(), &start, "Help").await;
    bot.terminate().await;
}

async fn the_schedule_offers_the_time_zone(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let mut message = ask(&telegram, &ada(), "/schedule").await;
    for label in ["Choose time zone", "Europe", "Berlin"] {
        message = press(&telegram, &ada(), &message, label).await;
    }
    assert!(message.text.contains("Time zone: Europe/Berlin"), "{}", message.text);
    let games = ask(&telegram, &ada(), "/schedule").await;
    assert_eq!(games.button("Choose time zone"), None);
    let group = Chat::supergroup(-1_001_234, "Fans");
    telegram.push(Update::text(&Person::new(7, "Bob"), "/schedule").in_chat(&group));
    let games = telegram.wait_for_message(group.id).await.unwrap();
    assert_eq!(games.button("Choose time zone"), None);
    bot.terminate().await;
}

async fn everyone_can_ask_for_their_id(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let large = Person::new((1 << 52) - 1, "Large").language_code("de");
    let text = ask(&telegram, &large, "/id").await.text;
    assert_eq!(text, "Deine Telegram-ID: 4503599627370495");
    let group = Chat::supergroup(-1_001_234, "Fans");
    telegram.push(Update::text(&ada(), "/id@rollcall_bot").in_chat(&group));
    let answer = telegram.wait_for_message(group.id).await.unwrap();
    assert_eq!(answer.text, "Your Telegram id: 1815");
    assert!(ask(&telegram, &ada(), "/help").await.text.contains("/id – your Telegram id"));
    bot.terminate().await;
    for request in telegram.requests_to("setMyCommands") {
        assert!(!request.params["commands"].to_string().contains("\"id\""));
    }
}

async fn the_figures_link_the_dashboard(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let boss = Person::new(OWNER, "Boss").language_code("en");
    let owner = OWNER.to_string();
    let mut settings = vec![("ADMIN_TELEGRAM_IDS", owner.as_str())];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let text = ask(&telegram, &boss, "/stats").await.text;
    assert!(text.starts_with("1 user") && !text.contains("dashboard"), "{text}");
    bot.terminate().await;
    settings.push(("LISTEN_ADDR", "127.0.0.1:0"));
    settings.push(("PUBLIC_URL", "https://example.org/bot"));
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    let text = ask(&telegram, &boss, "/stats").await.text;
    let line = "\n\nMore on the dashboard: https://example.org/bot/admin";
    assert!(text.ends_with(line), "{text}");
    bot.terminate().await;
}

async fn known_commands_and_buttons_are_recorded_as_used(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let used = async |expected: &[&str]| {
        let today = |name: &&str| ((*name).to_owned(), 1);
        let expected: Vec<(String, u32)> = expected.iter().map(today).collect();
        assert_eq!(uses(&database, 1815).await, expected);
    };
    let bot = RunningBot::start(&telegram, &database, &[("SCHEDULE", "off")]).await;
    let start = ask(&telegram, &ada(), "/START").await;
    press(&telegram, &ada(), &start, "Settings").await;
    // Unknown to a bot without the schedule, or to every bot.
    telegram.write(&ada(), "/vip");
    telegram.write(&ada(), "/schedule");
    for data in ["1/s/today", "vip", "1/p/lang/xx", "/start"] {
        telegram.press(&ada(), &start, data);
    }
    telegram.press(&ada(), &start, "1/h");
    let help = ask(&telegram, &ada(), "/help").await;
    bot.terminate().await;
    let mut all = vec!["/help", "/start", "help", "settings"];
    used(&all).await;

    let bot = RunningBot::start(&telegram, &database, &[("SCHEDULE", "nhl")]).await;
    let games = ask(&telegram, &ada(), "/schedule").await;
    press(&telegram, &ada(), &games, "Today").await;
    // A button of owners is known, whatever it does for others.
    telegram.press(&ada(), &help, "1/u");
    ask(&telegram, &ada(), "/help").await;
    bot.terminate().await;
    all.insert(1, "/schedule");
    all.extend(["schedule", "users"]);
    all.sort_unstable();
    used(&all).await;
}
