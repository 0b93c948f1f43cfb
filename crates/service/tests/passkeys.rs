//! Passkeys as a second factor, over real databases, with an authenticator in memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::IpAddr, sync::Arc};

use rollcall_domain::{Admin, AdminName, AuditAction, Clock, Role};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::{
    AdminService, AuditFilter, PasskeyError, PasskeySite, RecoveryCode, SignIn, SignInError,
    Standing,
};
use rollcall_testkit::{Authenticator, SoftPasskey, TestClock, ThrowAwayDatabase};

const PASSWORD: &str = "correct horse";
const ORIGIN: &str = "https://bot.example.org";
const MINUTE: i64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_needs_the_passkey_once_it_is_added() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(&database).await;
        let session = it.sign_in().await;
        let laptop = SoftPasskey::default();
        let codes = it.add(session.token.as_str(), " Laptop ", &laptop).await.unwrap();
        assert_eq!(codes.unwrap().len(), 10);
        let factors = it.admins.second_factors(&ada()).await.unwrap();
        assert!(factors.is_on() && factors.app_since.is_none());
        let passkey = &factors.passkeys[0];
        assert_eq!((&*passkey.name, &*passkey.host), ("Laptop", "bot.example.org"));
        assert_eq!((passkey.added_at, passkey.last_used_at), (it.clock.now(), None));

        it.clock.advance(MINUTE);
        let half = it.sign_in().await;
        assert_eq!(half.session.standing, Standing::OwesFactor);
        let whole = it.prove(half.token.as_str(), &laptop, ORIGIN).await.unwrap().unwrap();
        assert!(it.admins.session(half.token.as_str()).await.unwrap().is_none());
        let session = it.admins.session(&whole).await.unwrap().unwrap();
        assert_eq!((session.standing, session.is_confirmed), (Standing::Whole, true));
        let expected = [
            "ada signed_in from 192.0.2.1",
            "ada used_passkey Laptop",
            "ada passed_first_factor from 192.0.2.1",
            "ada added_passkey Laptop",
        ];
        assert_eq!(it.log().await[..4], expected);

        // It also confirms the identity.
        it.clock.advance(15 * MINUTE);
        assert_eq!(it.prove(&whole, &laptop, ORIGIN).await, Ok(None));
        assert!(it.admins.session(&whole).await.unwrap().unwrap().is_confirmed);
        let factors = it.admins.second_factors(&ada()).await.unwrap();
        assert_eq!(factors.passkeys[0].last_used_at, Some(it.clock.now()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_accepted_once_within_five_minutes_by_any_process() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(&database).await;
        let laptop = SoftPasskey::default();
        it.add(it.sign_in().await.token.as_str(), "Laptop", &laptop).await.unwrap();
        let other = it.another_process(&database).await;
        let session = it.sign_in().await;
        let whole = it.prove(session.token.as_str(), &laptop, ORIGIN).await.unwrap().unwrap();
        let ask = async || it.admins.ask_for_passkey(&whole, &site()).await.unwrap();
        let give = async |answer: &str| {
            other.confirm_by_passkey(&whole, answer, home()).await.map(drop).map_err(waits)
        };

        let answer = laptop.get(&ask().await, ORIGIN);
        assert_eq!(give(&answer).await, Ok(()), "the challenge is from another process");
        assert_eq!(give(&answer).await, Err(0), "replayed");
        ask().await;
        assert_eq!(give(&answer).await, Err(0), "replayed as the answer to another challenge");
        // Its challenge was used up with it.
        let (first, second) = (ask().await, ask().await);
        assert_eq!(
            give(&laptop.get(&first, ORIGIN)).await,
            Err(0),
            "only the last challenge counts"
        );
        assert_eq!(
            give(&laptop.get(&second, ORIGIN)).await,
            Err(0),
            "each challenge has one answer"
        );

        let in_time = laptop.get(&ask().await, ORIGIN);
        it.clock.advance(5 * MINUTE - 1);
        assert_eq!(give(&in_time).await, Ok(()));
        let late = laptop.get(&ask().await, ORIGIN);
        it.clock.advance(5 * MINUTE);
        assert_eq!(give(&late).await, Err(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_accounts_own_passkey_at_its_own_site_is_accepted() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(&database).await;
        let laptop = SoftPasskey::default();
        let setup = it.sign_in().await;
        it.add(setup.token.as_str(), "Laptop", &laptop).await.unwrap();
        // The passkey of another admin in the same database.
        let (eve, theirs) = (it.sign_in_as("eve").await, SoftPasskey::default());
        it.add(eve.token.as_str(), "Mine", &theirs).await.unwrap();

        let half = it.sign_in().await;
        let token = half.token.as_str();
        assert_eq!(it.prove(token, &theirs, ORIGIN).await, Err(0), "a foreign passkey");
        assert_eq!(it.prove(token, &SoftPasskey::default(), ORIGIN).await, Err(0), "unknown");
        for origin in ["https://evil.example", "http://bot.example.org", "https://example.org"] {
            assert_eq!(it.prove(token, &laptop, origin).await, Err(0), "{origin}");
        }
        // Failures expire after an hour.
        it.clock.advance(3601);
        let half = it.sign_in().await;
        let token = half.token.as_str();
        // A valid signature for another host, or of another challenge.
        let ask = async || it.admins.ask_for_passkey(token, &site()).await.unwrap();
        let elsewhere = ask().await.replace("bot.example.org", "evil.example");
        assert_eq!(it.give(token, &laptop.get(&elsewhere, ORIGIN)).await, Err(0));
        let mut turned = laptop.get(&ask().await, ORIGIN);
        let at = turned.find("signature").unwrap() + "signature\":\"".len() + 20;
        let digit = if turned.as_bytes()[at] == b'A' { "B" } else { "A" };
        turned.replace_range(at..=at, digit);
        assert_eq!(it.give(token, &turned).await, Err(0));
        // The answer to the challenge of another session.
        let other = it.sign_in().await;
        let question = it.admins.ask_for_passkey(other.token.as_str(), &site()).await.unwrap();
        ask().await;
        assert_eq!(it.give(token, &laptop.get(&question, ORIGIN)).await, Err(0));
        for odd in ["", "{}", "null", "[1]", "\0"] {
            it.clock.advance(3601);
            let half = it.sign_in().await;
            it.admins.ask_for_passkey(half.token.as_str(), &site()).await.unwrap();
            assert_eq!(it.give(half.token.as_str(), odd).await, Err(0), "{odd}");
        }
        assert_eq!(it.log().await[0], "ada second_factor_failed from 192.0.2.1");
        it.clock.advance(3601);
        let half = it.sign_in().await;
        assert!(it.prove(half.token.as_str(), &laptop, ORIGIN).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_that_decreases_is_refused() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(&database).await;
        let laptop = SoftPasskey::default().counting(5);
        it.add(it.sign_in().await.token.as_str(), "Laptop", &laptop).await.unwrap();
        let copy = laptop.counting(9);
        let prove = async |passkey: &SoftPasskey| {
            it.clock.advance(3601);
            let half = it.sign_in().await;
            it.prove(half.token.as_str(), passkey, ORIGIN).await.map(drop)
        };
        for (count, expected) in [
            (0, Err(0)),
            (5, Err(0)),
            (6, Ok(())),
            (6, Err(0)),
            (9, Ok(())),
            (8, Err(0)),
            (0, Err(0)),
        ] {
            assert_eq!(prove(&laptop.counting(count)).await, expected, "{count}");
        }
        assert_eq!(prove(&copy).await, Err(0), "the counter of the copy is behind");
        // Two concurrent answers, each of which was valid when its challenge was created.
        let (one, two) = (it.sign_in().await, it.sign_in().await);
        let answer = async |session: &SignIn, count| {
            let token = session.token.as_str();
            let question = it.admins.ask_for_passkey(token, &site()).await.unwrap();
            laptop.counting(count).get(&question, ORIGIN)
        };
        let (first, second) = (answer(&one, 11).await, answer(&two, 11).await);
        assert!(it.give(one.token.as_str(), &first).await.is_ok());
        assert_eq!(it.give(two.token.as_str(), &second).await, Err(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_added_only_by_the_answer_to_its_challenge() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let (session, other) = (it.sign_in().await, it.sign_in_as("eve").await);
    let (token, passkey) = (session.token.as_str(), SoftPasskey::default());
    let offer = async |token: &str| it.admins.offer_passkey(token, &site()).await.unwrap();
    let add = async |answer: &str| it.admins.add_passkey(token, "Laptop", answer).await;
    let refused = |result: Result<Option<Vec<RecoveryCode>>, PasskeyError>, what: &str| {
        let error = result.unwrap_err();
        assert!(matches!(error, PasskeyError::NotVerified), "{what}: {error}");
    };

    let theirs = passkey.create(&offer(other.token.as_str()).await, ORIGIN);
    refused(add(&theirs).await, "there is no challenge");
    offer(token).await;
    refused(add(&theirs).await, "the answer of another session");
    let elsewhere = passkey.create(&offer(token).await, "https://evil.example");
    refused(add(&elsewhere).await, "another origin");
    let late = passkey.create(&offer(token).await, ORIGIN);
    it.clock.advance(5 * MINUTE);
    refused(add(&late).await, "too late");
    for odd in ["", "{}", "x"] {
        offer(token).await;
        refused(add(odd).await, odd);
    }
    let answer = passkey.create(&offer(token).await, ORIGIN);
    let unnamed = it.admins.add_passkey(token, "\u{3164}", &answer);
    assert!(matches!(unnamed.await.unwrap_err(), PasskeyError::InvalidName));
    assert!(!it.admins.second_factors(&ada()).await.unwrap().is_on());

    // An invalid name does not use up the answer.
    assert!(add(&answer).await.unwrap().is_some());
    refused(add(&answer).await, "replayed");
    let again = passkey.create(&offer(token).await, ORIGIN);
    refused(add(&again).await, "excluded");
    let stolen = passkey.create(&offer(other.token.as_str()).await, ORIGIN);
    let stolen = it.admins.add_passkey(other.token.as_str(), "Mine", &stolen).await;
    assert!(matches!(stolen.unwrap_err(), PasskeyError::Known), "it belongs to another admin");
    // The challenge names the existing passkeys.
    assert!(offer(token).await.contains("\"excludeCredentials\":[{"));
    let half = it.sign_in().await;
    let owing = it.admins.offer_passkey(half.token.as_str(), &site()).await;
    assert!(matches!(owing.unwrap_err(), PasskeyError::NoSession));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_valid_for_its_host_only() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let session = it.sign_in().await;
    let laptop = SoftPasskey::default();
    it.add(session.token.as_str(), "Laptop", &laptop).await.unwrap();
    let local = PasskeySite::new("http://localhost:8080").unwrap();
    let half = it.sign_in().await;
    let asked = it.admins.ask_for_passkey(half.token.as_str(), &local).await;
    assert!(matches!(asked.unwrap_err(), PasskeyError::NoSuchPasskey));
    let factors = it.admins.second_factors(&ada()).await.unwrap();
    assert!(factors.has_passkey_for("bot.example.org") && !factors.has_passkey_for("localhost"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_and_passkeys_work_side_by_side() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let session = it.sign_in().await;
    let token = session.token.as_str();
    let (laptop, key) = (SoftPasskey::default(), SoftPasskey::default());
    let codes = it.add(token, "Laptop", &laptop).await.unwrap().unwrap();
    assert!(it.add(token, "Key", &key).await.unwrap().is_none(), "recovery codes exist already");
    let offered = it.admins.offer_second_factor(token).await.unwrap().unwrap();
    let app = Authenticator::new(&offered.secret());
    let code = app.code(it.clock.now());
    assert!(it.admins.enable_second_factor(token, &code).await.unwrap().is_none());
    let factors = it.admins.second_factors(&ada()).await.unwrap();
    assert!(factors.app_since.is_some());
    assert_eq!((factors.passkeys.len(), factors.recovery_codes), (2, 10));

    it.clock.advance(MINUTE);
    let half = it.sign_in().await;
    let by_code = it.admins.confirm(half.token.as_str(), &app.code(it.clock.now()), home()).await;
    let whole = by_code.unwrap().token.unwrap();
    let half = it.sign_in().await;
    assert!(it.prove(half.token.as_str(), &key, ORIGIN).await.is_ok());
    let half = it.sign_in().await;
    let by_recovery = it.admins.confirm(half.token.as_str(), &codes[0].to_string(), home()).await;
    assert!(by_recovery.is_ok());

    // The last factor cannot be removed if one is required.
    let strict = it.admins.clone().requiring_second_factor(true);
    let token = whole.as_str();
    assert!(strict.disable_second_factor(token).await.unwrap());
    let ids: Vec<_> = factors.passkeys.iter().map(|it| it.id).collect();
    strict.remove_passkey(token, ids[0]).await.unwrap();
    let gone = strict.remove_passkey(token, ids[0]).await.unwrap_err();
    assert!(matches!(gone, PasskeyError::NoSuchPasskey), "{gone}");
    let last = strict.remove_passkey(token, ids[1]).await.unwrap_err();
    assert!(matches!(last, PasskeyError::LastFactor), "{last}");
    it.admins.remove_passkey(token, ids[1]).await.unwrap();
    let factors = it.admins.second_factors(&ada()).await.unwrap();
    assert_eq!((factors.is_on(), factors.recovery_codes), (false, 0));
    assert_eq!(it.sign_in().await.session.standing, Standing::Whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passkeys_wait_like_wrong_codes() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let laptop = SoftPasskey::default();
    it.add(it.sign_in().await.token.as_str(), "Laptop", &laptop).await.unwrap();
    for n in 0..5 {
        let half = it.sign_in().await;
        let wrong = it.prove(half.token.as_str(), &SoftPasskey::default(), ORIGIN).await;
        assert_eq!(wrong, Err(0), "{n}");
    }
    let half = it.sign_in().await;
    assert_eq!(it.prove(half.token.as_str(), &laptop, ORIGIN).await, Err(30));
    it.clock.advance(30);
    assert!(it.prove(half.token.as_str(), &laptop, ORIGIN).await.is_ok());
}

/// Two accounts, without a second factor.
struct Story {
    admins: AdminService,
    clock: Arc<TestClock>,
}

impl Story {
    async fn new(database: &ThrowAwayDatabase) -> Self {
        let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
        let admins = service(database, &clock).await;
        for name in ["ada", "eve"] {
            let name: AdminName = name.parse().unwrap();
            admins.create_account(&name, PASSWORD, Role::Owner, None).await.unwrap();
        }
        Self { admins, clock }
    }

    async fn another_process(&self, database: &ThrowAwayDatabase) -> AdminService {
        service(database, &self.clock).await
    }

    async fn sign_in(&self) -> SignIn {
        self.sign_in_as("ada").await
    }

    async fn sign_in_as(&self, name: &str) -> SignIn {
        self.admins.sign_in(name, PASSWORD, home()).await.unwrap()
    }

    async fn add(
        &self,
        token: &str,
        name: &str,
        passkey: &SoftPasskey,
    ) -> Result<Option<Vec<RecoveryCode>>, PasskeyError> {
        let question = self.admins.offer_passkey(token, &site()).await?;
        self.admins.add_passkey(token, name, &passkey.create(&question, ORIGIN)).await
    }

    /// Confirms the identity by a passkey, and returns the new token, if any. A failure returns the
    /// seconds until the next attempt; 0 if it may follow at once.
    async fn prove(
        &self,
        token: &str,
        passkey: &SoftPasskey,
        origin: &str,
    ) -> Result<Option<String>, u64> {
        let question = self.admins.ask_for_passkey(token, &site()).await.unwrap();
        self.give(token, &passkey.get(&question, origin)).await
    }

    async fn give(&self, token: &str, answer: &str) -> Result<Option<String>, u64> {
        let confirmed = self.admins.confirm_by_passkey(token, answer, home()).await;
        let confirmed = confirmed.map_err(waits)?;
        Ok(confirmed.token.map(|token| token.as_str().to_owned()))
    }

    /// The entries of the audit log, the newest first.
    async fn log(&self) -> Vec<String> {
        let entries = self.admins.audit_log(&AuditFilter::all(), None, 100).await.unwrap();
        let line = |action: AuditAction, admin: Option<&Admin>, new: Option<&str>| {
            let admin = admin.map_or("-".to_owned(), ToString::to_string);
            format!("{admin} {} {}", action.name(), new.unwrap_or("-"))
        };
        entries.iter().map(|it| line(it.action, it.admin.as_ref(), it.new.as_deref())).collect()
    }
}

async fn service(database: &ThrowAwayDatabase, clock: &Arc<TestClock>) -> AdminService {
    let database = Database::open(database.url().parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    AdminService::new(DieselAdminRepository::new(database), clock.clone(), [].into())
}

fn waits(error: SignInError) -> u64 {
    match error {
        SignInError::Refused => 0,
        SignInError::Throttled { retry_after } => retry_after.as_secs(),
        SignInError::Busy | SignInError::Storage(_) => u64::MAX,
    }
}

fn site() -> PasskeySite {
    PasskeySite::new(ORIGIN).unwrap()
}

fn ada() -> Admin {
    "ada".parse().unwrap()
}

fn home() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}
