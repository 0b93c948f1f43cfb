//! `manage broadcast`, without a bot, and with a sender in this process that has a messenger of its own.

use std::{fs, path::Path, sync::Arc};

use rollcall_domain::UnreachableReason;
use rollcall_service::{BroadcastService, Delivery, Lane, LeaseTimes, Messenger, OutgoingMessage};
use rollcall_simulator::Person;
use rollcall_testkit::png;
use tokio::sync::watch;

use super::*;

const HELLO: &str = "Hello {first_name|friend} {last_name}, <b>we</b> are \
                     <a href=\"https://example.org/?u={username}\">open</a> &amp; ready!";

/// Ada, a bot, a user without any name, and one who blocked the bot.
async fn fill_chats(database: &ThrowAwayDatabase) {
    let users = fill(database).await;
    let did = |profile: Profile, event| Interaction {
        chat: Some(Chat { id: profile.telegram_id().get(), kind: ChatKind::Private }),
        event,
        ..Interaction::new("2020-01-01T13:00:00Z".parse().unwrap(), profile, InteractionKind::Text)
    };
    let id = |n: i64| TelegramId::try_from(n).unwrap();
    let ada = Profile::new(id(1815), "Ada").last_name("Lovelace").username("ada");
    let interactions = [
        did(ada.language_code("en"), None),
        did(Profile::of_id(id(7)), None),
        did(Profile::new(id(9), "Bo").language_code("de"), Some(Event::Blocked)),
    ];
    users.register(&interactions).await.unwrap();
}

/// Runs `manage broadcast`.
fn broadcast(database: &ThrowAwayDatabase, arguments: &[&str]) -> String {
    without_times(&manage(database, &[&["broadcast"], arguments].concat(), ""))
}

/// Creates a broadcast and returns its number.
fn create(database: &ThrowAwayDatabase, arguments: &[&str]) -> String {
    let arguments = [&["broadcast", "create"], arguments].concat();
    let (code, printed, error) = run(database, &arguments, "", &[]);
    assert_eq!(code, 0, "{error}");
    printed.trim().to_owned()
}

/// What is stored of broadcasts and of who changed them.
async fn stored(database: &ThrowAwayDatabase) -> (String, usize) {
    let (_, list, _) = run(database, &["broadcast", "list", "--json"], "", &[]);
    let log = admins(database).await.audit_log(&AuditFilter::all(), None, 100).await.unwrap();
    (list, log.len())
}

#[test]
fn the_help_teaches() {
    let folder = tempfile::tempdir().unwrap();
    let help = |command: &[&str]| {
        let arguments = [&["broadcast"], command, &["--help"]].concat();
        let (code, printed, error) = program::run(folder.path(), &arguments, b"", &[]);
        assert_eq!((code, error.as_str()), (0, ""));
        // The settings are the same for every command.
        let settings = printed.find("\nSettings (").unwrap();
        let examples = printed.find("\nExamples:").unwrap_or(printed.len());
        let shown = format!("{}{}", &printed[..settings], &printed[examples..]);
        format!("$ manage {}\n{shown}", arguments.join(" "))
    };
    let commands = [
        &[][..],
        &["create"],
        &["preview"],
        &["test"],
        &["start"],
        &["pause"],
        &["resume"],
        &["cancel"],
        &["list"],
        &["show"],
        &["report"],
        &["resend"],
        &["categories"],
        &["categories", "add"],
    ];
    insta::assert_snapshot!("broadcast_help", commands.map(help).join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_is_created_shown_started_and_ended() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_chats(&database).await;
        let at = ["--at", "2099-06-01 18:00", "--zone", "Europe/Berlin"];
        let again = ["--button", "Shop = https://example.org | Again = /start again"];
        let german = ["--text-for", "de=Hallo!", "--button", "Help = tg://help"];
        let opening = ["create", "--name", "Opening", "--filter", "", "--text", HELLO];
        let advent =
            ["create", "--name", "Advent", "--filter", "lang:en", "--text", "Hi", "--paid"];
        let story = [
            broadcast(&database, &["list"]),
            broadcast(&database, &[&opening[..], &again, &german].concat()),
            broadcast(&database, &[&advent[..], &at, &["--category", "promo"]].concat()),
            broadcast(&database, &["preview", "1"]),
            broadcast(&database, &["preview", "1", "--user", "1815"]),
            broadcast(&database, &["preview", "1", "--user", "9"]),
            broadcast(&database, &["preview", "1", "--user", "404"]),
            broadcast(&database, &["preview", "1", "--json"]),
            broadcast(&database, &["preview", "2"]),
            broadcast(&database, &["show", "1"]),
            broadcast(&database, &["show", "2"]),
            broadcast(&database, &["start", "1"]),
            broadcast(&database, &["start", "1", "--yes"]),
            broadcast(&database, &["start", "1", "--yes"]),
            broadcast(&database, &["start", "2", "--yes"]),
            broadcast(&database, &["start", "2", "--yes"]),
            broadcast(&database, &["list"]),
            broadcast(&database, &["pause", "1"]),
            broadcast(&database, &["pause", "1"]),
            broadcast(&database, &["show", "1", "--json"]),
            broadcast(&database, &["resume", "1", "--json"]),
            broadcast(&database, &["resume", "1"]),
            broadcast(&database, &["cancel", "1"]),
            broadcast(&database, &["cancel", "1", "--yes"]),
            broadcast(&database, &["cancel", "1", "--yes"]),
            broadcast(&database, &["cancel", "1"]),
            broadcast(&database, &["start", "1", "--yes"]),
            broadcast(&database, &["start", "2", "--yes", "--now", "--json"]),
            broadcast(&database, &["list", "--limit", "1"]),
            broadcast(&database, &["list", "--before", "2"]),
            broadcast(&database, &["list", "--before", "1"]),
            broadcast(&database, &["report", "1", "--csv"]),
        ];
        insta::assert_snapshot!("broadcast_story", story.join("\n"));
        let log = admins(&database).await.audit_log(&AuditFilter::all(), None, 100).await.unwrap();
        let actions: Vec<AuditAction> = log.iter().rev().map(|it| it.action).collect();
        let expected = [
            AuditAction::CreatedBroadcast,
            AuditAction::CreatedBroadcast,
            AuditAction::StartedBroadcast,
            AuditAction::ScheduledBroadcast,
            AuditAction::PausedBroadcast,
            AuditAction::ResumedBroadcast,
            AuditAction::CancelledBroadcast,
            AuditAction::StartedBroadcast,
            AuditAction::ExportedUsers,
        ];
        assert_eq!(actions, expected, "a refused command changes nothing");
    }
}

/// A local time, quiet hours, and a picture.
#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_waits_for_the_times_of_its_users() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_chats(&database).await;
        let evening = ["create", "--name", "Evening", "--filter", "", "--text", "Good evening!"];
        let local = ["--at", "2099-06-01 18:00", "--local", "--zone", "Europe/Berlin"];
        let quiet = ["--quiet-hours", "22:00-08:00"];
        let picture = ["--picture-id", "AgACAgIAAxkBAAIB-x7_Q"];
        let story = [
            broadcast(&database, &[&evening[..], &local].concat()),
            broadcast(&database, &[&evening[..], &quiet, &picture].concat()),
            broadcast(&database, &[&evening[..], &local, &quiet].concat()),
            broadcast(&database, &["preview", "1"]),
            broadcast(&database, &["preview", "2"]),
            broadcast(&database, &["preview", "2", "--json"]),
            broadcast(&database, &["show", "2"]),
            broadcast(&database, &["show", "3"]),
            broadcast(&database, &["start", "1", "--yes"]),
            broadcast(&database, &["start", "1", "--yes"]),
            broadcast(&database, &["start", "1", "--yes", "--now"]),
            broadcast(&database, &["show", "1"]),
            broadcast(&database, &["show", "1", "--json"]),
            broadcast(&database, &["list"]),
        ];
        insta::assert_snapshot!("broadcast_times", story.join("\n"));
    }
}

/// Each wrong argument has a clear message, and nothing is stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_broadcast_is_not_stored() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_chats(&database).await;
        let before = stored(&database).await;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).unwrap();
        };
        file("latin1.html", b"Gr\xfc\xdfe");
        file("long.html", &[b'x'; (1 << 16) + 1]);
        let picture = png(300, 200, [9, 90, 190]);
        file("right.png", &picture);
        file("cut.png", &picture[..picture.len() - 20]);
        file("wide.png", &png(9_000, 1_001, [0, 0, 0]));
        file("narrow.png", &png(2_100, 100, [0, 0, 0]));
        file("large.png", &[picture.as_slice(), &vec![0; 11 << 20]].concat());
        file("empty.png", b"");
        file("tag.html", "Hello\n\n  <b>now <storng>open</b>\n".as_bytes());
        let text = |text: &'static str| vec!["--filter", "", "--text", text];
        let filter = |filter: &'static str| vec!["--filter", filter, "--text", "Hi"];
        let option = |option: &[&'static str]| [&text("Hi")[..], option].concat();
        let long_caption: &str = Box::leak("x".repeat(1_025).into_boxed_str());
        let zone = |at: &'static str| option(&["--at", at, "--zone", "Europe/Berlin"]);
        let from = |name: &'static str| vec!["--filter", "", "--text-file", name];
        let wrong = [
            text(""),
            text("<b>Hello <storng>you</storng></b>"),
            text("<b>Hello"),
            text("5 < 6"),
            text("Hello {nmae}"),
            text("Hello {first_name"),
            text("<a href=\"javascript:alert(1)\">x</a>"),
            option(&["--text-for", "de=Hallo <i>"]),
            option(&["--hold-out", "60%"]),
            option(&["--variant", "A=x"]),
            option(&["--variant", "C=x"]),
            option(&["--variant", "B=<b>x"]),
            option(&["--variant", "B=x", "--variant", "b=y"]),
            option(&["--variant-button", "B=Yes = press"]),
            option(&["--test-part", "20%"]),
            option(&["--test-part", "20%", "--winner", "blocks"]),
            option(&["--variant", "B=x", "--test-part", "20%", "--winner", "presses"]),
            option(&["--variant", "B=x", "--test-part", "20%", "--winner", "clicks"]),
            option(&[
                "--variant",
                "B=x",
                "--test-part",
                "20%",
                "--winner",
                "blocks",
                "--after",
                "24h",
            ]),
            option(&["--text-for", "x=Hallo"]),
            option(&["--text-for", "Hallo"]),
            option(&["--text-for", "de=a", "--text-for", "DE=b"]),
            option(&["--button", "Shop"]),
            option(&[
                "--button",
                "Shop = https://example.org",
                "--button",
                "X = ftp://example.org",
            ]),
            option(&["--text-file", "tag.html"]),
            from("tag.html"),
            from("latin1.html"),
            from("long.html"),
            from("missing.html"),
            vec!["--filter", ""],
            vec!["--text", "Hi"],
            filter("lang:de or"),
            filter("segment:gone"),
            filter("tag:gone"),
            option(&["--category", "gone"]),
            option(&["--category", "No such"]),
            option(&["--rate", "0"]),
            option(&["--rate", "1001"]),
            option(&["--rate", "-1"]),
            option(&["--rate", "fast"]),
            option(&["--lasts", "0h"]),
            option(&["--lasts", "24"]),
            option(&["--on-unknown", "retry"]),
            option(&["--opt-out-button", "yes"]),
            option(&["--opt-out-button", "on", "--category", "system"]),
            option(&["--at", "2020-01-01 10:00"]),
            option(&["--at", "2020-01-01T10:00:00+01:00"]),
            option(&["--at", "tomorrow"]),
            zone("2027-03-28 02:30"),
            zone("2027-10-31 02:30"),
            option(&["--picture-id", ""]),
            option(&["--picture-id", "https://example.org/x.jpg"]),
            vec!["--filter", "", "--picture-id", "AgACAgIAAxkBAAIB", "--text", long_caption],
            option(&["--picture", "missing.png"]),
            option(&["--picture", "empty.png"]),
            option(&["--picture", "tag.html"]),
            option(&["--picture", "cut.png"]),
            option(&["--picture", "wide.png"]),
            option(&["--picture", "narrow.png"]),
            option(&["--picture", "large.png"]),
            option(&["--picture", "right.png", "--picture-id", "AgACAgIAAxkBAAIB"]),
            vec!["--filter", "", "--picture", "right.png", "--text", long_caption],
            option(&["--local"]),
            option(&["--local", "--at", "2099-01-01T10:00:00+01:00"]),
            option(&["--local", "--at", "2020-01-01 10:00"]),
            option(&["--quiet-hours", "22"]),
            option(&["--quiet-hours", "22:00-22:00"]),
            option(&["--quiet-hours", "00:00-24:00"]),
            option(&["--zone", "Berlin"]),
            option(&["--name", ""]),
            option(&["--name", "two\nlines"]),
        ];
        let story = wrong.map(|wrong| {
            let name = if wrong.contains(&"--name") { &[][..] } else { &["--name", "x"] };
            let arguments = [&["broadcast", "create"], name, &wrong].concat();
            let settings = [("DATABASE_URL", database.url())];
            let (code, printed, error) = program::run(folder.path(), &arguments, b"", &settings);
            assert_eq!(printed, "", "{wrong:?}");
            let error = error.split("\n\nFor more information").next().unwrap().trim_end();
            let wrong = wrong.join(" ").replace(long_caption, "xxx…");
            let error = error.replace(long_caption, "xxx…");
            format!("$ manage broadcast create {wrong}\n{error}\n[exit code {code}]\n")
        });
        insta::assert_snapshot!("broadcast_wrong", story.join("\n"));
        assert_eq!(stored(&database).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_comes_from_a_file_and_is_uploaded_once() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_chats(&database).await;
        let telegram = Simulator::start().await.unwrap();
        telegram.introduce(&Person::new(1815, "Ada"));
        let folder = tempfile::tempdir().unwrap();
        // The content decides.
        let file = folder.path().join("sale.jpg");
        fs::write(&file, png(300, 180, [9, 90, 190])).unwrap();
        let arguments = ["--name", "Sale", "--filter", "lang:en", "--text", "Hi {first_name}"];
        let picture = ["--picture", file.to_str().unwrap()];
        create(&database, &[&arguments[..], &picture].concat());
        create(&database, &[&arguments[..], &picture].concat());
        let shown = broadcast(&database, &["preview", "1"]);
        let line = "[ picture: PNG, 300 × 180 pixels, 53 KiB; `manage broadcast test 1` shows it ]";
        assert!(shown.contains(line), "{shown}");
        let shown = broadcast(&database, &["show", "1"]);
        assert!(shown.contains("Message      a picture with a text"), "{shown}");
        let (_, shown, _) = run(&database, &["broadcast", "show", "1", "--json"], "", &[]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["content"]["stored_picture"].as_str().unwrap().len(), 64, "{shown}");
        assert!(shown["content"]["picture_id"].is_null(), "{shown}");
        let url = telegram.url();
        let bot = [("TELEGRAM_API_URL", url.as_str()), ("TELEGRAM_BOT_TOKEN", telegram.token())];
        for number in ["1", "2"] {
            let test = ["broadcast", "test", number, "--to", "1815"];
            let (code, _, error) = run(&database, &test, "", &bot);
            assert_eq!((code, error.as_str()), (0, ""));
        }
        assert_eq!(telegram.texts_to(1815), ["Hi Ada", "Hi Ada"]);
        let photos = telegram.requests_to("sendPhoto");
        assert_eq!(photos[0].params["photo"]["media_type"], "image/png");
        let message = &telegram.messages_to(1815)[0].json;
        let largest = message["photo"].as_array().unwrap().last().unwrap();
        assert_eq!(photos[1].params["photo"], largest["file_id"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_are_created_and_shown() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_chats(&database).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.html");
        fs::write(&file, "<i>Look</i>\n").unwrap();
        let file = format!("C={}", file.display());
        let options = [
            "--name",
            "Sale",
            "--filter",
            "",
            "--text",
            "Our sale begins!",
            "--button",
            "Shop = /start sale",
            "--variant",
            "B=<b>20%</b> off",
            "--variant",
            "B:de=20% Rabatt",
            "--variant-file",
            &file,
            "--variant-button",
            "C=Look = press",
            "--test-part",
            "20%",
            "--winner",
            "presses",
            "--hold-out",
            "5",
        ];
        create(&database, &options);
        let story = [
            broadcast(&database, &["preview", "1", "--variant", "C"]),
            broadcast(&database, &["preview", "1", "--variant", "D"]),
            broadcast(&database, &["preview", "1", "--variant", "F"]),
            broadcast(&database, &["pick", "1", "B"]),
            broadcast(&database, &["start", "1", "--yes"]),
            broadcast(&database, &["pick", "1", "D"]),
            broadcast(&database, &["pick", "1", "b"]),
            broadcast(&database, &["show", "1"]),
            broadcast(&database, &["show", "1", "--json"]),
        ];
        insta::assert_snapshot!("broadcast_variants", story.join("\n"));
    }
}

/// What was right when a broadcast was created may be wrong when it starts.
#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_that_cannot_be_sent_is_not_started() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_chats(&database).await;
        manage(&database, &["segments", "save", "few", "--filter", "lang:en"], "");
        let draft =
            |filter: &str| create(&database, &["--name", "x", "--filter", filter, "--text", "Hi"]);
        for filter in ["id:404", "blocked", "bot", "segment:few", "lang:en", "name:nobody"] {
            draft(filter);
        }
        manage(&database, &["segments", "delete", "few"], "");
        let before = stored(&database).await;
        let try_start = |number: &str| broadcast(&database, &["start", number, "--yes"]);
        let story = [
            try_start("1"),
            broadcast(&database, &["start", "1"]),
            broadcast(&database, &["preview", "1"]),
            try_start("2"),
            try_start("3"),
            try_start("4"),
            broadcast(&database, &["preview", "4"]),
            try_start("6"),
            try_start("7"),
            try_start("0"),
            broadcast(&database, &["pause", "5"]),
            broadcast(&database, &["resume", "5"]),
            broadcast(&database, &["resume", "7"]),
            broadcast(&database, &["show", "7"]),
            broadcast(&database, &["report", "7", "--csv"]),
        ];
        insta::assert_snapshot!("broadcast_not_started", story.join("\n"));
        assert_eq!(stored(&database).await, before);

        // Two owners start it at once: one of them does.
        let starts = std::thread::scope(|scope| {
            let threads = [0; 2].map(|_| scope.spawn(|| try_start("5")));
            threads.map(|thread| thread.join().unwrap())
        });
        let started = starts.iter().filter(|it| it.contains("Started broadcast 5 (x).")).count();
        let refused = "error: broadcast 5 is preparing and cannot be started";
        let refused = starts.iter().filter(|it| it.contains(refused)).count();
        assert_eq!((started, refused), (1, 1), "{starts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_has_passed_schedules_nothing() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_chats(&database).await;
        let at = ["--at", "2099-01-01T00:00:00Z"];
        let hi = ["--name", "x", "--filter", "", "--text", "Hi"];
        create(&database, &[&hi[..], &at].concat());
        let past = "UPDATE broadcasts SET starts_at = created_at";
        execute(&database, past);
        let refused = manage(&database, &["broadcast", "start", "1", "--yes"], "");
        assert!(refused.contains(" is in the past; expected a later time; --now starts it now"));
        let (_, shown, _) = run(&database, &["broadcast", "show", "1", "--json"], "", &[]);
        assert!(shown.contains("\"state\": \"draft\""), "{shown}");
        let started = manage(&database, &["broadcast", "start", "1", "--yes", "--now"], "");
        assert!(started.contains("Started broadcast 1 (x)."), "{started}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn categories_are_listed_and_added() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill(&database).await;
        let hi = ["create", "--name", "x", "--filter", "", "--text", "Hi", "--category", "events"];
        let story = [
            broadcast(&database, &["categories"]),
            broadcast(&database, &hi),
            broadcast(&database, &["categories", "add", "events", "--weekly-cap", "2"]),
            broadcast(&database, &hi),
            broadcast(&database, &["categories", "add", "events", "--json"]),
            broadcast(&database, &["categories", "add", "Events"]),
            broadcast(&database, &["categories", "add", "x", "--weekly-cap", "0"]),
            broadcast(&database, &["categories", "--json"]),
        ];
        insta::assert_snapshot!("broadcast_categories", story.join("\n"));
    }
}

/// A text from a file is stored without the line break at its end, and one from the standard input too.
#[tokio::test(flavor = "multi_thread")]
async fn texts_are_read_from_files() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_chats(&database).await;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("de.html"), "\u{feff}Hallo\r\n\r\n<b>Welt</b>\r\n").unwrap();
        let arguments = [
            "broadcast",
            "create",
            "--name",
            "x",
            "--filter",
            "",
            "--text-file",
            "-",
            "--text-file-for",
            "de=de.html",
            "--json",
        ];
        let settings = [("DATABASE_URL", database.url())];
        let input = "Hello\n\nworld\n".as_bytes();
        let created = program::run(folder.path(), &arguments, input, &settings);
        assert_eq!(created, (0, "{\n  \"id\": 1\n}\n".to_owned(), String::new()));
        let (_, shown, _) = run(&database, &["broadcast", "show", "1", "--json"], "", &[]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["content"]["texts"][""], "Hello\n\nworld");
        assert_eq!(shown["content"]["texts"]["de"], "Hallo\n\n<b>Welt</b>");
    }
}

/// On a terminal, the command shows how many users there are, and asks.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_is_confirmed_on_a_terminal() {
    let database = ThrowAwayDatabase::sqlite();
    fill_chats(&database).await;
    for paid in [&[][..], &["--paid"]] {
        create(&database, &[&["--name", "x", "--filter", "", "--text", "Hi"], paid].concat());
    }
    let on_terminal = |command: &str, input: &str| {
        let mut script = Command::new("script");
        let command = format!("{} broadcast {command}", env!("CARGO_BIN_EXE_manage"));
        script.args(["-qec", &command, "/dev/null"]).env("DATABASE_URL", database.url());
        let (code, printed, _) = program::answer(script, input.as_bytes());
        (code, printed.replace('\r', ""))
    };
    let (code, printed) = on_terminal("start 1", "n\n");
    assert_eq!(code, 1, "{printed}");
    let question = "This starts broadcast 1 (x), category news.\n\
                    It goes to 2 of 3 users.\nLeft out: 1 unreachable.\n\
                    It takes about 1 s at 25 a second.\n\
                    Start it now? [y/N] ";
    assert!(printed.contains(question) && printed.contains("nothing was started"), "{printed}");
    let (code, printed) = on_terminal("start 2", "y\n");
    assert_eq!(code, 0, "{printed}");
    let question = "Paid, it takes about 1 s at 1,000 a second, and costs about 0.2 Stars.\n\
                    Without --paid, it takes about 1 s at 25 a second, and costs nothing.\n\
                    Start it now? [y/N] ";
    assert!(
        printed.contains(question) && printed.contains("Started broadcast 2 (x)."),
        "{printed}"
    );
    let (code, printed) = on_terminal("cancel 2", "n\n");
    assert_eq!(code, 1, "{printed}");
    let question =
        "Cancel broadcast 2 (x)? It cannot be resumed. So far, no message was sent. [y/N] ";
    assert!(printed.contains(question) && printed.contains("nothing was cancelled"), "{printed}");
    let states = stored(&database).await.0;
    assert!(states.contains("\"preparing\"") && states.contains("\"draft\""), "{states}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_sent_to_one_user_and_not_counted() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_chats(&database).await;
        let telegram = Simulator::start().await.unwrap();
        telegram.introduce(&Person::new(1815, "Ada"));
        telegram.introduce(&Person::new(5, "Eve"));
        let button = ["--button", "Again = /start again"];
        create(
            &database,
            &[&["--name", "x", "--filter", "", "--text", HELLO][..], &button].concat(),
        );
        let before = stored(&database).await;
        let url = telegram.url();
        let bot = [("TELEGRAM_API_URL", url.as_str()), ("TELEGRAM_BOT_TOKEN", telegram.token())];
        let test = |to: &str, settings: &[(&str, &str)]| {
            run(&database, &["broadcast", "test", "1", "--to", to], "", settings)
        };
        let sent =
            |to: &str| (0, format!("Sent a copy of broadcast 1 (x) to {to}.\n"), String::new());
        assert_eq!(test("1815", &bot), sent("1815"));
        assert_eq!(telegram.texts_to(1815), ["Hello Ada Lovelace, we are open & ready!"]);
        let message = telegram.messages_to(1815).pop().unwrap();
        let url = message.json.pointer("/reply_markup/inline_keyboard/0/0/url").unwrap();
        assert_eq!(url, "https://t.me/rollcall_bot?start=again");
        // Nothing is stored about this user.
        assert_eq!(test("5", &bot), sent("5"));
        assert_eq!(telegram.texts_to(5), ["Hello friend , we are open & ready!"]);

        let (code, printed, error) = test("404", &bot);
        assert_eq!((code, printed.as_str()), (1, ""));
        assert!(
            error.contains("the bot cannot write to 404") && error.contains("/start"),
            "{error}"
        );
        let (code, _, error) = test("1815", &[]);
        assert_eq!(code, 1);
        assert!(error.contains("TELEGRAM_BOT_TOKEN is not set"), "{error}");
        let (code, _, error) = test("0", &bot);
        assert_eq!(code, 2, "{error}");
        assert_eq!(stored(&database).await, before);
        let (_, user, _) = run(&database, &["users", "show", "1815", "--json"], "", &[]);
        assert!(user.contains("\"reachable\": true"), "{user}");
        // The database of another bot.
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let other = TelegramId::try_from(77).unwrap();
        DieselBotRepository::new(storage).claim(other, SystemClock.now()).await.unwrap();
        let (code, _, error) = test("1815", &bot);
        assert_eq!(code, 1);
        assert!(error.contains("belongs to the bot 77"), "{error}");
        assert_eq!(telegram.texts_to(1815).len(), 1);
    }
}

/// What becomes of a message depends on the user's id, or each message arrives.
#[derive(Clone, Copy)]
enum Telegram {
    ById,
    Takes,
}

impl Messenger for Telegram {
    fn lane(&self, _rate: Option<u32>, _is_paid: bool) -> Arc<dyn Lane> {
        Arc::new(*self)
    }
}

#[async_trait::async_trait]
impl Lane for Telegram {
    fn rate(&self) -> Option<u32> {
        None
    }

    async fn send(
        &self,
        to: TelegramId,
        _message: &OutgoingMessage,
        _stop: watch::Receiver<bool>,
    ) -> Delivery {
        match (self, to.get()) {
            (Self::ById, 11) => Delivery::Unreachable(UnreachableReason::Blocked),
            (Self::ById, 12) => Delivery::Failed("Bad Request: =odd, \"words\"".to_owned()),
            (Self::ById, 13) => Delivery::Unknown,
            (_, id) => Delivery::Sent(id + 1000),
        }
    }
}

/// Creates broadcast 1 to users of every outcome, and sends it.
async fn send_to_all_kinds(database: &ThrowAwayDatabase) {
    fill_chats(database).await;
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    let interactions: Vec<Interaction> = (10..=14)
        .map(|n| Interaction {
            chat: Some(Chat { id: n, kind: ChatKind::Private }),
            ..Interaction::new(
                "2020-01-01T13:00:00Z".parse().unwrap(),
                Profile::new(n.try_into().unwrap(), "x"),
                InteractionKind::Text,
            )
        })
        .collect();
    users.register(&interactions).await.unwrap();
    create(database, &["--name", "x", "--filter", "id:9,10,11,12,13,14", "--text", "Hi"]);
    execute(database, "INSERT INTO opt_outs VALUES (14, 'news', '2020-01-01T00:00:00.000000Z')");
    send(database, Telegram::ById, 1).await;
}

/// Starts a broadcast, and sends it until its end.
async fn send(database: &ThrowAwayDatabase, telegram: Telegram, id: i64) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    let repository = DieselUserRepository::new(storage.clone());
    let preferences = PreferencesService::new(DieselPreferencesRepository::new(storage));
    let users = UserService::new(repository.clone(), SystemClock);
    let (stop, stopped) = watch::channel(false);
    let service = BroadcastService::new(repository, SystemClock);
    let times = LeaseTimes::lasting(PATIENCE);
    let sender = service.sender(users, preferences, Arc::new(telegram), times, stopped);
    let sender = tokio::spawn(sender.run());
    let started = broadcast(database, &["start", &id.to_string(), "--yes"]);
    assert!(!started.contains("No bot has begun"), "{started}");
    let end = Instant::now() + PATIENCE;
    while !service.find(id).await.unwrap().state.has_ended() {
        assert!(Instant::now() < end, "the broadcast never ends");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    sender.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_that_did_not_get_it_get_another_broadcast() {
    for database in ThrowAwayDatabase::of_each_kind() {
        send_to_all_kinds(&database).await;
        create(&database, &["--name", "y", "--filter", "broadcast:1", "--text", "Hi"]);
        let count = |filter: &str| manage(&database, &["count", "--filter", filter], "");
        let before = [
            broadcast(&database, &["resend", "2"]),
            broadcast(&database, &["resend", "9"]),
            broadcast(&database, &["resend", "1", "--states", "sent"]),
            broadcast(&database, &["resend", "1", "--states", "queued"]),
            broadcast(&database, &["resend", "1"]),
            broadcast(&database, &["show", "3"]),
            broadcast(&database, &["resend", "1", "--states", "failed,unknown", "--json"]),
            count("broadcast:1"),
            count("broadcast:1:failed,1:unreachable"),
            count("-broadcast:1 id:9,10,11,12,13,14,15"),
            count("-broadcast:99"),
            count("broadcast:1:gone"),
        ];
        insta::assert_snapshot!("broadcast_resend", before.join("\n"));
        send(&database, Telegram::Takes, 4).await;
        let (_, report, _) = run(&database, &["broadcast", "report", "4"], "", &[]);
        let outcomes: Vec<&str> =
            report.lines().skip(1).map(|line| line.rsplitn(4, ',').nth(3).unwrap()).collect();
        assert_eq!(outcomes, ["12,sent,,1012", "13,sent,,1013"]);
        let nobody = broadcast(&database, &["resend", "4"]);
        assert!(nobody.contains("no recipient of broadcast 4 has such a state"), "{nobody}");
        let log = admins(&database).await.audit_log(&AuditFilter::all(), None, 100).await.unwrap();
        let created = log.iter().find(|it| it.action == AuditAction::CreatedBroadcast).unwrap();
        let new = "4 x (again); filter broadcast:1:failed,1:unknown";
        assert_eq!(created.new.as_deref(), Some(new));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_has_every_recipient() {
    for database in ThrowAwayDatabase::of_each_kind() {
        send_to_all_kinds(&database).await;
        let story = [
            broadcast(&database, &["show", "1"]),
            broadcast(&database, &["show", "1", "--json"]),
            broadcast(&database, &["list"]),
            broadcast(&database, &["pause", "1"]),
            broadcast(&database, &["resume", "1"]),
            broadcast(&database, &["start", "1", "--yes"]),
            broadcast(&database, &["cancel", "1", "--yes"]),
        ];
        insta::assert_snapshot!("broadcast_finished", story.join("\n"));

        let (code, report, error) = run(&database, &["broadcast", "report", "1", "--csv"], "", &[]);
        assert_eq!((code, error.as_str()), (0, ""));
        let lines: Vec<Vec<&str>> =
            report.lines().map(|line| line.rsplitn(4, ',').collect()).collect();
        let outcomes: Vec<&str> = lines.iter().map(|line| line[3]).collect();
        assert_eq!(
            outcomes,
            [
                "telegram_id,state,reason,message_id",
                "9,unreachable,blocked,",
                "10,sent,,1010",
                "11,unreachable,blocked,",
                "12,failed,\"Bad Request: =odd, \"\"words\"\"\",",
                "13,unknown,,",
                "14,skipped,opted_out,",
            ]
        );
        assert_eq!(lines[0], ["variant", "pressed_at", "at", outcomes[0]]);
        for line in lines.iter().skip(1) {
            assert_eq!(line[..2], ["", ""]);
            line[2].parse::<DateTime<chrono::Utc>>().unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let settings = [("DATABASE_URL", database.url())];
        let to_file = |more: &[&str]| {
            let write = ["broadcast", "report", "1", "--csv", "--output", "report.csv"];
            program::run(folder.path(), &[&write, more].concat(), b"", &settings)
        };
        let written = |folder: &Path| fs::read_to_string(folder.join("report.csv")).unwrap();
        let done = (0, String::new(), "Wrote 6 recipients to report.csv\n".to_owned());
        assert_eq!(to_file(&[]), done);
        assert_eq!(written(folder.path()), report);
        let (code, _, error) = to_file(&[]);
        assert!(code == 1 && error.contains("report.csv already exists"), "{error}");
        assert_eq!(to_file(&["--force"]), done);
        assert_eq!(written(folder.path()), report);
    }
}
