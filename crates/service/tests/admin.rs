//! Signing in to the web admin, over real databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use rollcall_domain::{Admin, AdminName, AuditAction, Clock, Role, TelegramId};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::{AccountError, AdminService, AuditFilter, LastingLink, SignInError};
use rollcall_testkit::{TestClock, ThrowAwayDatabase};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const PASSWORD: &str = "correct horse";
const WRONG: &str = "correct horsf";

#[tokio::test(flavor = "multi_thread")]
async fn admins_sign_in_and_out() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (admins, clock) = with_ada(&database).await;
        clock.advance(MINUTE);
        let signed_in = admins.sign_in(" Ada ", PASSWORD, home()).await.unwrap();
        assert_eq!(signed_in.session.admin, ada());
        assert_eq!(signed_in.session.role, Role::Editor);
        assert_eq!(signed_in.session.signed_in_at, clock.now());
        let accounts = admins.accounts().await.unwrap();
        assert_eq!(accounts[0].last_signed_in_at, Some(clock.now()));

        let token = signed_in.token.as_str();
        assert_eq!(admins.session(token).await.unwrap(), Some(signed_in.session.clone()));
        let again = admins.sign_in("ada", PASSWORD, home()).await.unwrap();
        assert_ne!(again.token, signed_in.token, "each session has a token of its own");
        for odd in ["", "x", &token[1..], &format!("{token}="), &token.to_lowercase()] {
            assert_eq!(admins.session(odd).await.unwrap(), None, "{odd}");
        }
        for _ in 0..2 {
            admins.sign_out(token).await.unwrap();
        }
        assert_eq!(admins.session(token).await.unwrap(), None);
        assert!(admins.session(again.token.as_str()).await.unwrap().is_some());
        let log = log(&admins).await;
        let expected = [
            "ada signed_out ",
            "ada signed_in from 192.0.2.1",
            "ada signed_in from 192.0.2.1",
            "- created_admin ada (editor)",
        ];
        assert_eq!(log, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_without_use_and_after_two_weeks() {
    let database = ThrowAwayDatabase::sqlite();
    let (admins, clock) = with_ada(&database).await;
    let is_open = async |token: &str| admins.session(token).await.unwrap().is_some();

    let token = admins.sign_in("ada", PASSWORD, home()).await.unwrap().token;
    clock.advance(12 * HOUR - 1);
    assert!(is_open(token.as_str()).await);
    clock.advance(12 * HOUR - 1);
    assert!(is_open(token.as_str()).await, "its last use counts");
    clock.advance(12 * HOUR);
    assert!(!is_open(token.as_str()).await);

    let token = admins.sign_in("ada", PASSWORD, home()).await.unwrap().token;
    for _ in 0..27 {
        clock.advance(12 * HOUR - 1);
        assert!(is_open(token.as_str()).await);
    }
    clock.advance(12 * HOUR + 27 - 1);
    assert!(!is_open(token.as_str()).await);
    while admins.forget_old().await.unwrap() {}
    assert!(!is_open(token.as_str()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_an_account_ends_its_sessions() {
    let database = ThrowAwayDatabase::sqlite();
    let (admins, _) = with_ada(&database).await;
    let sign_in = async |password: &str| {
        admins.sign_in("ada", password, home()).await.map(|it| it.token.as_str().to_owned())
    };
    let is_open = async |token: &str| admins.session(token).await.unwrap().is_some();

    let token = sign_in(PASSWORD).await.unwrap();
    admins.set_password(&name("ada"), "battery staple", Some(&owner())).await.unwrap();
    assert!(!is_open(&token).await);
    assert!(sign_in(PASSWORD).await.is_err());
    let token = sign_in("battery staple").await.unwrap();
    admins.disable(&name("ada"), None).await.unwrap();
    assert!(!is_open(&token).await);
    assert!(matches!(sign_in("battery staple").await, Err(SignInError::Refused)));
    admins.enable(&name("ada"), None).await.unwrap();
    assert!(!is_open(&token).await, "it does not come back");

    let tokens =
        [sign_in("battery staple").await.unwrap(), sign_in("battery staple").await.unwrap()];
    admins.sign_out_everywhere(&ada()).await.unwrap();
    for token in &tokens {
        assert!(!is_open(token).await);
    }
    let by_the_owner = AuditFilter::all().by(owner());
    let entries = admins.audit_log(&by_the_owner, None, 10).await.unwrap();
    assert_eq!(entries[0].action, AuditAction::ChangedPassword);
    assert_eq!(entries[0].new.as_deref(), Some("ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_created_and_changed_with_care() {
    let database = ThrowAwayDatabase::sqlite();
    let (admins, _) = with_ada(&database).await;
    let taken = admins.create_account(&name("ADA"), PASSWORD, Role::Owner, None).await;
    assert!(matches!(taken, Err(AccountError::NameIsTaken(_))), "{taken:?}");
    let short = admins.create_account(&name("bob"), "123456789", Role::Owner, None).await;
    assert!(matches!(short, Err(AccountError::InvalidPassword(_))), "{short:?}");
    for nobody in [
        admins.set_password(&name("bob"), PASSWORD, None).await,
        admins.disable(&name("bob"), None).await,
        admins.enable(&name("bob"), None).await,
    ] {
        assert_eq!(nobody.unwrap_err().to_string(), "the account bob does not exist");
    }
    assert_eq!(log(&admins).await, ["- created_admin ada (editor)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_cannot_be_removed() {
    let database = ThrowAwayDatabase::sqlite();
    let (admins, _) = with_ada(&database).await;
    let make = async |text: &str| {
        admins.create_account(&name(text), PASSWORD, Role::Owner, None).await.unwrap();
    };
    let disable = async |text: &str| admins.disable(&name(text), None).await;
    make("grace").await;
    let refused = disable("grace").await.unwrap_err();
    assert!(matches!(refused, AccountError::LastOwner(_)), "{refused}");
    // An editor does not count, and a second owner is enough.
    disable("ada").await.unwrap();
    make("emmy").await;
    disable("grace").await.unwrap();
    disable("grace").await.unwrap();
    assert!(disable("emmy").await.is_err(), "a disabled owner does not count");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_ends_the_sessions_of_others() {
    let database = ThrowAwayDatabase::sqlite();
    let (admins, _) = with_ada(&database).await;
    let token = admins.sign_in("ada", PASSWORD, home()).await.unwrap().token;
    admins.end_sessions(&name("ada"), Some(&owner())).await.unwrap();
    assert_eq!(admins.session(token.as_str()).await.unwrap(), None);
    let entries = admins.audit_log(&AuditFilter::all().by(owner()), None, 10).await.unwrap();
    assert_eq!(entries[0].action, AuditAction::SignedOutEverywhere);
    assert_eq!(entries[0].new.as_deref(), Some("ada"));
    assert!(admins.end_sessions(&name("bob"), None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sign_in_does_not_reveal_whether_the_account_exists() {
    let database = ThrowAwayDatabase::sqlite();
    let (admins, clock) = with_ada(&database).await;
    let mut took = [Duration::MAX; 3];
    // The fastest of a few runs is least affected by other work of the machine.
    for _ in 0..5 {
        for (name, took) in ["ada", "bob", "not a name"].iter().zip(&mut took) {
            let begun = Instant::now();
            let refused = admins.sign_in(name, WRONG, home()).await.unwrap_err();
            *took = begun.elapsed().min(*took);
            assert!(matches!(refused, SignInError::Refused), "{refused}");
        }
        clock.advance(2 * HOUR);
    }
    let [known, unknown, no_name] = took;
    assert!(unknown * 3 > known && no_name * 3 > known, "{took:?}");
    assert_eq!(log(&admins).await[..2], ["- sign_in_failed from 192.0.2.1"; 2]);
    assert_eq!(log(&admins).await[2], "ada sign_in_failed from 192.0.2.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_failures_wait_longer_and_longer() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let (admins, clock) = with_ada(&database).await;
        // Failures in another process count too.
        let (others, _) = service(&database, clock.clone(), &[]).await;
        for name in ["ada", "nobody"] {
            for n in 0..5 {
                let process = if n % 2 == 0 { &admins } else { &others };
                assert_eq!(try_in(process, name, WRONG, home()).await, Err(0), "{n}");
            }
            assert_eq!(
                try_in(&admins, name, PASSWORD, home()).await,
                Err(30),
                "even with the correct password"
            );
            assert_eq!(
                try_in(&others, name, WRONG, home()).await,
                Err(30),
                "a refused attempt is not counted"
            );
            clock.advance(29);
            assert_eq!(try_in(&admins, name, WRONG, home()).await, Err(1));
            clock.advance(1);
            assert_eq!(try_in(&admins, name, WRONG, home()).await, Err(0));
            assert_eq!(try_in(&admins, name, WRONG, home()).await, Err(60));
        }
        assert_eq!(try_in(&admins, "ada", PASSWORD, away(1)).await, Ok(()), "from another address");
        clock.advance(60);
        assert_eq!(try_in(&admins, "ada", PASSWORD, home()).await, Ok(()));
        for _ in 0..5 {
            assert_eq!(
                try_in(&admins, "ada", WRONG, home()).await,
                Err(0),
                "the count starts again"
            );
        }
        assert_eq!(try_in(&admins, "ada", WRONG, home()).await, Err(30));
        clock.advance(HOUR + 1);
        while admins.forget_old().await.unwrap() {}
        assert_eq!(try_in(&admins, "ada", WRONG, home()).await, Err(0), "after an hour too");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_and_accounts_have_looser_limits() {
    let database = ThrowAwayDatabase::sqlite();
    let (admins, clock) = with_ada(&database).await;
    // Addresses of one IPv6 network count together.
    for n in 0..30 {
        let address = format!("2001:db8:0:1::{n:x}").parse().unwrap();
        let name = format!("name-{n}");
        assert_eq!(try_in(&admins, &name, WRONG, address).await, Err(0), "{n}");
    }
    let neighbour = "2001:db8:0:1:ffff::".parse().unwrap();
    assert_eq!(try_in(&admins, "ada", PASSWORD, neighbour).await, Err(30));
    let other_network = "2001:db8:0:2::".parse().unwrap();
    assert_eq!(try_in(&admins, "ada", PASSWORD, other_network).await, Ok(()));

    for n in 0..50 {
        assert_eq!(try_in(&admins, "ada", WRONG, away(n)).await, Err(0), "{n}");
    }
    assert_eq!(try_in(&admins, "ada", PASSWORD, home()).await, Err(1), "a short wait");
    clock.advance(1);
    assert_eq!(try_in(&admins, "ada", PASSWORD, home()).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_an_owner_in_once_and_expires() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
        let (admins, _) = service(&database, clock.clone(), &[7, 8]).await;
        assert!(admins.create_link(id(9)).await.unwrap().is_none());
        let link = async |user| admins.create_link(id(user)).await.unwrap().unwrap();

        let first = link(7).await;
        let signed_in = admins.sign_in_by_link(first.as_str(), home()).await.unwrap();
        assert_eq!(signed_in.session.admin, owner());
        assert_eq!(signed_in.session.role, Role::Owner);
        let again = admins.sign_in_by_link(first.as_str(), home()).await;
        assert!(matches!(again, Err(SignInError::Refused)), "{again:?}");
        let token = signed_in.token.as_str();
        assert_eq!(admins.session(token).await.unwrap(), Some(signed_in.session.clone()));
        assert!(
            admins.session(first.as_str()).await.unwrap().is_none(),
            "the token of a link is not one of a session"
        );

        let (in_time, late) = (link(7).await, link(8).await);
        clock.advance(5 * MINUTE - 1);
        assert!(admins.sign_in_by_link(in_time.as_str(), home()).await.is_ok());
        clock.advance(1);
        assert!(admins.sign_in_by_link(late.as_str(), home()).await.is_err());
        assert!(admins.sign_in_by_link("x", home()).await.is_err());

        // An owner who was removed from the list.
        let (without, _) = service(&database, clock.clone(), &[8]).await;
        let link = link(7).await;
        assert_eq!(without.session(token).await.unwrap(), None);
        assert!(without.sign_in_by_link(link.as_str(), home()).await.is_err());
        assert_eq!(log(&admins).await, ["telegram:7 signed_in from 192.0.2.1"; 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lasting_link_signs_its_owner_in_again_and_again() {
    let database = ThrowAwayDatabase::sqlite();
    let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
    let (admins, _) = service(&database, clock.clone(), &[7]).await;
    let (link, token) = LastingLink::new(id(7)).unwrap();
    let before = admins.sign_in_by_link(token.as_str(), home()).await;
    assert!(matches!(before, Err(SignInError::Refused)), "{before:?}");
    let usual = admins.create_link(id(7)).await.unwrap().unwrap();
    let lasting = admins.clone().accepting(Some(link.clone()));
    assert!(lasting.is_lasting(token.as_str()) && !lasting.is_lasting(usual.as_str()));
    for _ in 0..3 {
        let signed_in = lasting.sign_in_by_link(token.as_str(), home()).await.unwrap();
        assert_eq!(signed_in.session.admin, owner());
        clock.advance(HOUR);
    }
    // Other links keep their limits, and other services do not know this one.
    assert!(lasting.sign_in_by_link(usual.as_str(), home()).await.is_err());
    assert!(admins.sign_in_by_link(token.as_str(), home()).await.is_err());
    let (others, _) = service(&database, clock.clone(), &[8]).await;
    let others = others.accepting(Some(link));
    assert!(others.sign_in_by_link(token.as_str(), home()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_use_of_a_session_is_stored_once_a_minute() {
    let database = ThrowAwayDatabase::sqlite();
    let (admins, clock) = with_ada(&database).await;
    let token = admins.sign_in("ada", PASSWORD, home()).await.unwrap().token;
    clock.advance(MINUTE - 1);
    assert!(admins.session(token.as_str()).await.unwrap().is_some());
    // Uses within the minute are not stored.
    clock.advance(12 * HOUR - MINUTE + 1);
    assert_eq!(admins.session(token.as_str()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_on_a_user_are_in_the_audit_log() {
    let database = ThrowAwayDatabase::sqlite();
    let (admins, clock) = with_ada(&database).await;
    let note = AuditAction::ChangedNote;
    admins.audit(&ada(), note, Some(id(1815)), Some("old"), Some("new")).await.unwrap();
    let entries = admins.audit_log(&AuditFilter::all().about(id(1815)), None, 10).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].at, entries[0].admin.clone()), (clock.now(), Some(ada())));
    assert_eq!(entries[0].old.as_deref(), Some("old"));
    clock.advance(400 * DAY);
    while admins.forget_old().await.unwrap() {}
    assert_eq!(log(&admins).await.len(), 2, "the audit log keeps all entries");
}

/// Signs in. A failure returns the seconds until the next attempt; 0 if it may follow at once.
async fn try_in(
    admins: &AdminService,
    name: &str,
    password: &str,
    address: IpAddr,
) -> Result<(), u64> {
    match admins.sign_in(name, password, address).await {
        Ok(_) => Ok(()),
        Err(SignInError::Refused) => Err(0),
        Err(SignInError::Throttled { retry_after }) => Err(retry_after.as_secs()),
        Err(error) => panic!("{error}"),
    }
}

/// The entries of the audit log, the newest first.
async fn log(admins: &AdminService) -> Vec<String> {
    let entries = admins.audit_log(&AuditFilter::all(), None, 100).await.unwrap();
    let line = |entry: rollcall_domain::AuditEntry| {
        let admin = entry.admin.map_or("-".to_owned(), |admin| admin.to_string());
        format!("{admin} {} {}", entry.action.name(), entry.new.unwrap_or_default())
    };
    entries.into_iter().map(line).collect()
}

/// A service with the account of an editor.
async fn with_ada(database: &ThrowAwayDatabase) -> (AdminService, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
    let (admins, clock) = service(database, clock, &[]).await;
    admins.create_account(&name("ada"), PASSWORD, Role::Editor, None).await.unwrap();
    (admins, clock)
}

async fn service(
    database: &ThrowAwayDatabase,
    clock: Arc<TestClock>,
    owners: &[i64],
) -> (AdminService, Arc<TestClock>) {
    let database = Database::open(database.url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let owners = owners.iter().map(|owner| id(*owner)).collect();
    let storage = DieselAdminRepository::new(database);
    (AdminService::new(storage, clock.clone(), owners), clock)
}

fn ada() -> Admin {
    Admin::Account(name("ada"))
}

fn owner() -> Admin {
    Admin::Telegram(id(7))
}

fn name(text: &str) -> AdminName {
    text.parse().unwrap()
}

fn id(id: i64) -> TelegramId {
    id.try_into().unwrap()
}

fn home() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

fn away(n: u8) -> IpAddr {
    format!("198.51.100.{n}").parse().unwrap()
}
