//! The claim code: without an owner, the log shows a code that makes its sender the owner.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[macro_use]
mod running;

use std::net::IpAddr;

use rollcall_domain::{AuditAction, Clock, SystemClock};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::{AdminService, AuditFilter};
use rollcall_simulator::{Chat, Person, Simulator, Update};
use rollcall_testkit::ThrowAwayDatabase;
use running::{
    RunningBot,
    chat::ask,
    database::{counted, stored, tamper},
};
use serde_json::{Value, json};

stories!(
    the_code_makes_one_owner,
    the_new_owner_is_an_owner_everywhere,
    five_wrong_codes_end_it,
    a_late_code_is_a_text,
    a_code_in_a_group_ends,
    of_two_senders_one_becomes_the_owner,
    a_code_outlives_a_restart_and_each_start_has_its_own,
    processes_share_their_codes_and_their_owner,
    an_owner_by_setting_leaves_nothing_to_claim,
    a_new_owner_is_left_out_of_the_figures_if_admins_are,
    a_removed_owner_leaves_the_bot_to_the_next_one,
);

const SECRET: &str = "Right-Secret_123";

fn person(id: i64) -> Person {
    Person::new(id, format!("Person {id}")).language_code("en")
}

/// The codes that the log has shown.
fn codes(log: &str) -> Vec<String> {
    let after = log.split("send the claim code ").skip(1);
    after.map(|rest| rest.split_whitespace().next().unwrap().to_owned()).collect()
}

/// The only code that the log has shown.
async fn code(bot: &RunningBot) -> String {
    bot.said("send the claim code ").await;
    let [code] = codes(&bot.log()).try_into().expect("one code");
    code
}

/// Another code, which looks like a right one.
fn wrong(code: &str) -> String {
    let other = if code.ends_with('Q') { "R" } else { "Q" };
    format!("{}{other}", &code[..code.len() - 1])
}

/// Sends a text that gets no answer: the next answer is that of /id.
async fn is_ignored(telegram: &Simulator, person: &Person, text: &str) {
    telegram.write(person, text);
    let answer = ask(telegram, person, "/id").await.text;
    assert_eq!(answer, format!("Your Telegram id: {}", person.id), "after {text}");
}

/// Whether a user is an owner for the bot.
async fn is_owner(telegram: &Simulator, person: &Person) -> bool {
    ask(telegram, person, "/help").await.text.contains("/stats")
}

async fn admins(database: &ThrowAwayDatabase) -> AdminService {
    let storage = Database::open_existing(database.url().parse().unwrap()).await.unwrap();
    AdminService::new(DieselAdminRepository::new(storage), SystemClock, [].into())
}

async fn owners(database: &ThrowAwayDatabase) -> Vec<i64> {
    let owners = admins(database).await.telegram_owners().await.unwrap();
    owners.into_iter().map(|id| id.get()).collect()
}

async fn the_code_makes_one_owner(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let code = code(&bot).await;
    let (ada, eve) = (person(7), person(8));
    assert!(!is_owner(&telegram, &ada).await);

    let answer = ask(&telegram, &ada, &format!(" {}\n", code.to_lowercase())).await.text;
    assert!(answer.starts_with("You are now the owner of this bot.\n/stats"), "{answer}");
    assert!(answer.contains("/admin"), "{answer}");
    for sender in [&ada, &eve] {
        is_ignored(&telegram, sender, &code).await;
    }
    assert_eq!(owners(&database).await, [7]);
    assert!(is_owner(&telegram, &ada).await);
    assert!(!is_owner(&telegram, &eve).await);

    // The texts with the code were registered like any text.
    assert_eq!(stored(&database).await.len(), 2);
    assert_eq!(counted(&database).await, 8);
    let filter = AuditFilter::all().action(AuditAction::ClaimedBot);
    let log = admins(&database).await.audit_log(&filter, None, 10).await.unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].admin.as_ref().unwrap().to_string(), "telegram:7");
    assert!(log[0].new.is_none() && log[0].old.is_none(), "{log:?}");

    let output = bot.terminate().await;
    assert_eq!(output.matches(&code).count(), 1, "{output}");
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    assert!(is_owner(&telegram, &ada).await);
    assert_eq!(codes(&bot.terminate().await), Vec::<String>::new());
}

async fn the_new_owner_is_an_owner_everywhere(database: ThrowAwayDatabase) {
    for (person, words) in [
        (person(7).language_code("de"), "Dieser Bot gehört jetzt dir."),
        (person(8).language_code("ru"), "Теперь вы — владелец этого бота."),
    ] {
        // One bot, so no update has the id of another one.
        let first = 1_000_000 * person.id;
        let telegram = Simulator::builder().first_update_id(first).start().await.unwrap();
        let settings = [("LISTEN_ADDR", "127.0.0.1:0"), ("TRUSTED_PROXIES", "127.0.0.1")];
        let bot = RunningBot::start(&telegram, &database, &settings).await;
        let code = code(&bot).await;
        telegram.wait_for_requests("setMyCommands", 3).await.unwrap();
        let answer = ask(&telegram, &person, &code).await.text;
        assert!(answer.starts_with(words), "{answer}");
        for name in ["/stats", "/users", "/admin"] {
            assert!(answer.contains(name), "{answer}");
        }

        // The menu, in three languages.
        let menus = telegram.wait_for_requests("setMyCommands", 6).await.unwrap();
        for menu in &menus[3..] {
            assert_eq!(menu.params["scope"], json!({ "type": "chat", "chat_id": person.id }));
            assert!(menu.params["commands"].to_string().contains("stats"), "{}", menu.params);
        }
        for (command, sign) in [("/stats", "/admin"), ("/users", &person.first_name)] {
            let answer = ask(&telegram, &person, command).await.text;
            assert!(answer.contains(sign), "{command}: {answer}");
        }
        let answer = ask(&telegram, &person, "/admin").await.text;
        let link = answer.split_whitespace().find(|it| it.contains("/link/")).unwrap();

        // The link signs in, and the session is that of an owner.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let client = client.build().unwrap();
        let request = client.post(link).header("Sec-Fetch-Site", "same-origin");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 303);
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let base = link.split("/link/").next().unwrap();
        let page = async |path: &str| {
            let request = client.get(format!("{base}{path}")).header("Cookie", &cookie);
            request.send().await.unwrap().text().await.unwrap()
        };
        assert!(page("/admins").await.contains(&person.first_name));
        assert!(page("/audit").await.contains("Became the owner with a claim code"));
        // Alerts: the sign-in was on a new device.
        let alert = telegram.wait_for_message(person.id).await.unwrap().text;
        assert!(alert.contains("127.0.0.1"), "{alert}");

        bot.terminate().await;
        let admins = admins(&database).await;
        let id = person.id.try_into().unwrap();
        assert!(admins.remove_telegram_owner(id, None).await.unwrap());
    }
}

async fn five_wrong_codes_end_it(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let code = code(&bot).await;
    let (ada, eve) = (person(7), person(8));
    let wrong = wrong(&code);
    // Ordinary texts do not count.
    for text in ["hello", "well-kept-pond", "5555-1234-5678", &code[..9], "3KQ7 9Z0M H2XV"] {
        is_ignored(&telegram, &eve, text).await;
    }
    for _ in 0..4 {
        is_ignored(&telegram, &eve, &wrong).await;
    }
    assert!(!bot.has_said("wrong claim codes"));
    is_ignored(&telegram, &ada, &wrong).await;
    bot.said("too many wrong claim codes: the code no longer works").await;
    is_ignored(&telegram, &ada, &code).await;
    assert_eq!(owners(&database).await, Vec::<i64>::new());
    bot.terminate().await;

    // After a restart, the old code does not count as a wrong one.
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let new = self::code(&bot).await;
    for _ in 0..6 {
        is_ignored(&telegram, &ada, &code).await;
    }
    for _ in 0..4 {
        is_ignored(&telegram, &eve, &wrong).await;
    }
    let answer = ask(&telegram, &ada, &new).await.text;
    assert!(answer.starts_with("You are now the owner"), "{answer}");
    bot.terminate().await;
}

async fn a_late_code_is_a_text(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let code = code(&bot).await;
    let age = |minutes: i64| {
        let at = SystemClock.now() - chrono::TimeDelta::minutes(minutes);
        let at = at.format("%Y-%m-%d %H:%M:%S%.6f");
        tamper(&database, &format!("UPDATE claim_codes SET created_at = '{at}'"));
    };
    age(10);
    is_ignored(&telegram, &person(7), &code).await;
    is_ignored(&telegram, &person(7), &wrong(&code)).await;
    assert_eq!(owners(&database).await, Vec::<i64>::new());
    age(9);
    assert!(ask(&telegram, &person(7), &code).await.text.starts_with("You are now"));
    bot.terminate().await;
}

async fn a_code_in_a_group_ends(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let code = code(&bot).await;
    let (ada, group) = (person(7), Chat::group(-77, "Family"));
    // A wrong code in a group ends nothing.
    for id in 20..26 {
        telegram.push(Update::text(&person(id), wrong(&code)).in_chat(&group));
    }
    telegram.push(Update::text(&ada, &code).in_chat(&group));
    bot.said("the claim code was sent in a group").await;
    is_ignored(&telegram, &ada, &code).await;
    assert!(telegram.messages_to(group.id).is_empty());
    assert_eq!(owners(&database).await, Vec::<i64>::new());
    assert!(!bot.terminate().await.contains("wrong claim codes"));
}

async fn of_two_senders_one_becomes_the_owner(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let code = code(&bot).await;
    let people: Vec<Person> = (1..=8).map(person).collect();
    for person in &people {
        telegram.write(person, &code);
    }
    for person in &people {
        telegram.write(person, "/help");
    }
    let mut owners = Vec::new();
    for person in &people {
        let first = telegram.wait_for_message(person.id).await.unwrap().text;
        if first.starts_with("You are now the owner") {
            owners.push(person.id);
            let help = telegram.wait_for_message(person.id).await.unwrap().text;
            assert!(help.contains("/stats"), "{help}");
        } else {
            assert!(!first.contains("/stats"), "{first}");
        }
    }
    assert_eq!(owners.len(), 1, "{owners:?}");
    assert_eq!(self::owners(&database).await, owners);
    bot.terminate().await;
}

async fn a_code_outlives_a_restart_and_each_start_has_its_own(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let mut bot = RunningBot::start(&telegram, &database, &[]).await;
    let first = code(&bot).await;
    bot.kill().await;
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let second = code(&bot).await;
    assert_ne!(first, second);
    assert!(ask(&telegram, &person(7), &first).await.text.starts_with("You are now"));
    is_ignored(&telegram, &person(8), &second).await;
    assert_eq!(owners(&database).await, [7]);
    bot.terminate().await;
}

/// Starts a process that receives updates by webhook, and returns its address.
async fn process(telegram: &Simulator, database: &ThrowAwayDatabase) -> (RunningBot, String) {
    let url = telegram.url();
    let settings = [
        ("TELEGRAM_API_URL", url.as_str()),
        ("TELEGRAM_BOT_TOKEN", telegram.token()),
        ("WEBHOOK_URL", "http://127.0.0.1:9/hook"),
        ("WEBHOOK_SECRET", SECRET),
        ("LISTEN_ADDR", "127.0.0.1:0"),
    ];
    let bot = RunningBot::start_until(database, &settings, "ready: @").await;
    bot.said("the web admin is at ").await;
    let log = bot.log();
    let admin = log.split("the web admin is at ").nth(1).unwrap().split_whitespace().next();
    let address = admin.unwrap().replace("/admin", "/hook");
    (bot, address)
}

/// Brings a private message to a process, as Telegram does.
async fn bring(address: &str, update_id: i64, person: &Person, text: &str) {
    let chat = json!({ "id": person.id, "type": "private", "first_name": person.first_name });
    let now = SystemClock.now().timestamp();
    let message =
        json!({ "message_id": 1, "date": now, "from": person, "chat": chat, "text": text });
    let update: Value = json!({ "update_id": update_id, "message": message });
    let request = reqwest::Client::new().post(address).json(&update);
    let request = request.header("X-Telegram-Bot-Api-Secret-Token", SECRET);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

async fn processes_share_their_codes_and_their_owner(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let (ada, eve) = (person(7), person(8));
    telegram.introduce(&ada);
    telegram.introduce(&eve);
    let (one, to_one) = process(&telegram, &database).await;
    let (two, to_two) = process(&telegram, &database).await;
    let (first, second) = (code(&one).await, code(&two).await);

    // Wrong codes count together, so four at each process would be too many.
    bring(&to_one, 1, &eve, &wrong(&first)).await;
    bring(&to_two, 2, &eve, &wrong(&first)).await;
    bring(&to_two, 3, &ada, &first).await;
    let answer = telegram.wait_for_message(ada.id).await.unwrap().text;
    assert!(answer.starts_with("You are now the owner"), "{answer}");
    // The process that did not take the code knows the owner, and no longer accepts its own code.
    bring(&to_one, 4, &eve, &second).await;
    bring(&to_one, 5, &eve, "/help").await;
    assert!(!telegram.wait_for_message(eve.id).await.unwrap().text.contains("/stats"));
    bring(&to_one, 6, &ada, "/admin").await;
    let answer = telegram.wait_for_message(ada.id).await.unwrap().text;
    let token = answer.split_whitespace().find_map(|it| it.split("/link/").nth(1)).unwrap();
    let home: IpAddr = "192.0.2.1".parse().unwrap();
    let session = admins(&database).await.sign_in_by_link(token, home).await.unwrap().session;
    assert_eq!(session.admin.to_string(), "telegram:7");
    assert_eq!(owners(&database).await, [7]);
    one.terminate().await;
    two.terminate().await;
}

async fn an_owner_by_setting_leaves_nothing_to_claim(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let code = code(&bot).await;
    bot.terminate().await;
    let settings = [("ADMIN_TELEGRAM_IDS", "99")];
    let bot = RunningBot::start(&telegram, &database, &settings).await;
    is_ignored(&telegram, &person(7), &code).await;
    assert!(is_owner(&telegram, &person(99)).await);
    assert_eq!(codes(&bot.terminate().await), Vec::<String>::new());
    assert_eq!(owners(&database).await, Vec::<i64>::new());
}

async fn a_new_owner_is_left_out_of_the_figures_if_admins_are(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    for (setting, users) in [("off", "1"), ("on", "2")] {
        let bot = RunningBot::start(&telegram, &database, &[("COUNT_ADMINS", setting)]).await;
        let ada = person(7);
        ask(&telegram, &person(8), "/id").await;
        if setting == "off" {
            let code = code(&bot).await;
            assert!(ask(&telegram, &ada, &code).await.text.starts_with("You are now"));
        }
        let stats = ask(&telegram, &ada, "/stats").await.text;
        assert!(stats.contains(&format!("{users} user")), "{setting}: {stats}");
        bot.terminate().await;
    }
}

async fn a_removed_owner_leaves_the_bot_to_the_next_one(database: ThrowAwayDatabase) {
    let telegram = Simulator::start().await.unwrap();
    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let first = code(&bot).await;
    let ada = person(7);
    assert!(ask(&telegram, &ada, &first).await.text.starts_with("You are now"));
    let admins = admins(&database).await;
    let id = 7.try_into().unwrap();
    let link = admins.create_link(id).await.unwrap().unwrap();
    let home: IpAddr = "192.0.2.1".parse().unwrap();
    let signed_in = admins.sign_in_by_link(link.as_str(), home).await.unwrap();
    let late = admins.create_link(id).await.unwrap().unwrap();

    assert!(admins.remove_telegram_owner(id, None).await.unwrap());
    assert!(!admins.remove_telegram_owner(id, None).await.unwrap());
    // Without a restart.
    assert!(!is_owner(&telegram, &ada).await);
    assert_eq!(admins.session(signed_in.token.as_str()).await.unwrap(), None);
    assert!(admins.sign_in_by_link(late.as_str(), home).await.is_err());
    is_ignored(&telegram, &ada, &first).await;
    bot.terminate().await;

    let bot = RunningBot::start(&telegram, &database, &[]).await;
    let second = code(&bot).await;
    assert!(ask(&telegram, &person(8), &second).await.text.starts_with("You are now"));
    assert_eq!(owners(&database).await, [8]);
    bot.terminate().await;
}
