//! What owners are written when somebody tries to get in, or gets in.

use std::sync::Arc;

use futures_util::future::join_all;
use rollcall_domain::Role;
use rollcall_simulator::{Fault, Person, Simulator};
use rollcall_testkit::ThrowAwayDatabase;

use crate::{
    server::{SECRET, Server, cookie, status},
    sign_in::admins,
};

stories!(
    owners_get_one_message_of_each_kind_during_a_flood,
    owners_who_cannot_be_reached_hold_up_nothing,
);

const PASSWORD: &str = "correct horse battery";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SETTINGS: [(&str, &str); 2] =
    [("ADMIN_TELEGRAM_IDS", "99,100,101"), ("TRUSTED_PROXIES", "127.0.0.1")];

async fn owners_get_one_message_of_each_kind_during_a_flood(database: ThrowAwayDatabase) {
    let (telegram, server) = bot_with_accounts(&database).await;
    let owners = [(99, "en"), (100, "ru")].map(|(id, code)| {
        let owner = Person::new(id, "Boss").language_code(code);
        telegram.write(&owner, "/start");
        owner
    });
    for owner in &owners {
        telegram.wait_for_message(owner.id).await.unwrap();
    }
    let next = async || {
        let english = telegram.wait_for_message(99).await.unwrap().text;
        let russian = telegram.wait_for_message(100).await.unwrap().text;
        (english, russian)
    };

    // Guesses at an account: from the sixth on they are refused.
    let guesses = (0..100).map(|_| sign_in(&server, "203.0.113.1", "", "ada", "wrong"));
    let statuses: Vec<_> = join_all(guesses).await.iter().map(|it| status(it)).collect();
    assert!(statuses.contains(&Some(401)) && statuses.contains(&Some(429)), "{statuses:?}");
    let (english, russian) = next().await;
    assert!(
        english.starts_with(
            "Too many failed sign-ins to the web admin\nLatest attempt: ada, from 203.0.113.1, "
        ),
        "{english}"
    );
    assert!(russian.starts_with("Слишком много неудачных попыток входа"), "{russian}");
    // Of a name that is none, which may be a password, nothing is shown; it is of the same kind.
    let typed = "my-very-own-secret";
    let mistyped = (0..20).map(|_| sign_in(&server, "203.0.113.2", "", typed, "wrong"));
    join_all(mistyped).await;

    let wrong = (0..20).map(|n| server.deliver(1_000_000 + n, "a-secret-of-this-tesT"));
    assert_eq!(join_all(wrong).await, [401; 20]);
    let (english, russian) = next().await;
    assert!(english.starts_with("Refused webhook requests\n"), "{english}");
    assert!(russian.starts_with("Отклонены запросы к вебхуку\n"), "{russian}");

    let first = sign_in(&server, "203.0.113.3", "", "ada", PASSWORD).await;
    assert_eq!(status(&first), Some(303), "{first}");
    let (english, _) = next().await;
    assert!(
        english.starts_with(
            "Sign-in to the web admin on a new device\n\
             ada (Firefox on Linux), from 203.0.113.3, "
        ),
        "{english}"
    );
    // A known device is no news, and another new one of the same account comes later, with this one.
    let known = cookie(&first, "rollcall_device");
    for (address, cookie) in [("203.0.113.4", known.as_str()), ("203.0.113.5", "")] {
        let again = sign_in(&server, address, cookie, "ada", PASSWORD).await;
        assert_eq!(status(&again), Some(303), "{again}");
    }
    let signed_in = sign_in(&server, "203.0.113.6", "", "grace", PASSWORD).await;
    assert_eq!(status(&signed_in), Some(303), "{signed_in}");
    let (english, _) = next().await;
    assert!(english.contains("\ngrace (Firefox on Linux), from 203.0.113.6, "), "{english}");

    // Messages to a chat come in order: there was none in between.
    for owner in &owners {
        assert_eq!(telegram.texts_to(owner.id).len(), 5, "{:?}", telegram.texts_to(owner.id));
    }
    assert!(telegram.messages_to(101).is_empty(), "they never wrote to the bot");
    let texts = telegram.texts_to(99).join("\n");
    for secret in [PASSWORD, SECRET, typed, known.as_str()] {
        assert!(!texts.contains(secret), "{secret}: {texts}");
    }
    let metrics = server.get("/metrics").await;
    let counted = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name}: {metrics}")).trim().parse::<u64>().unwrap()
    };
    let attempts = |outcome: &str| {
        counted(&format!("rollcall_sign_in_attempts_total{{outcome=\"{outcome}\"}}"))
    };
    assert_eq!(attempts("succeeded"), 4);
    assert_eq!(attempts("failed"), 10);
    assert!(attempts("refused") > 10);
    assert_eq!(counted("rollcall_new_devices_total"), 3);
    let log = Arc::into_inner(server).unwrap().bot.terminate().await;
    for line in ["too many failed sign-ins", "on an unknown device"] {
        assert_eq!(log.matches(line).count(), 1, "{line}: {log}");
    }
    assert!(!log.contains(typed), "{log}");
}

async fn owners_who_cannot_be_reached_hold_up_nothing(database: ThrowAwayDatabase) {
    let (telegram, server) = bot_with_accounts(&database).await;
    let owner = Person::new(99, "Boss");
    telegram.write(&owner, "/start");
    telegram.wait_for_message(owner.id).await.unwrap();
    telegram.fail_always("sendMessage", Fault::too_many_requests(3600));
    let before = telegram.calls("sendMessage");
    let first = sign_in(&server, "203.0.113.3", "", "ada", PASSWORD).await;
    assert_eq!(status(&first), Some(303), "{first}");
    telegram.wait_for_requests("sendMessage", before + 1).await.unwrap();
    for n in 0..10 {
        assert_eq!(server.deliver(1_000_000 + n, SECRET).await, 200);
        let wrong = sign_in(&server, "203.0.113.4", "", "grace", "wrong").await;
        assert!(matches!(status(&wrong), Some(401 | 429)), "{wrong}");
    }
    let signed_in = sign_in(&server, "203.0.113.5", "", "grace", PASSWORD).await;
    assert_eq!(status(&signed_in), Some(303), "{signed_in}");
    assert_eq!(status(&server.get("/readyz").await), Some(200));
    Arc::into_inner(server).unwrap().bot.terminate().await;
}

async fn bot_with_accounts(database: &ThrowAwayDatabase) -> (Simulator, Arc<Server>) {
    let telegram = Simulator::start().await.unwrap();
    let server = Server::start(&telegram, database, &SETTINGS).await;
    let admins = admins(database).await;
    for name in ["ada", "grace"] {
        let name = name.parse().unwrap();
        admins.create_account(&name, PASSWORD, Role::Editor, None).await.unwrap();
    }
    (telegram, Arc::new(server))
}

/// Signs in as somebody at `address` does through the proxy; returns the whole answer.
async fn sign_in(
    server: &Server,
    address: &str,
    cookie: &str,
    name: &str,
    password: &str,
) -> String {
    let form = format!("name={name}&password={}", password.replace(' ', "+"));
    let headers = [("x-forwarded-for", address), ("cookie", cookie), ("user-agent", FIREFOX)];
    server.send_form("/admin/sign-in", &headers, &form).await
}
