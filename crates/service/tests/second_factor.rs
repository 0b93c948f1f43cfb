//! The second factor, and confirming an identity, over real databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{net::IpAddr, sync::Arc};

use rollcall_domain::{Admin, AdminName, AuditAction, Clock, Role, TelegramId};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::{
    AdminService, AuditFilter, FactorError, RecoveryCode, Session, SignIn, SignInError, Standing,
};
use rollcall_testkit::{Authenticator, TestClock, ThrowAwayDatabase};

const PASSWORD: &str = "correct horse";
const WRONG: &str = "correct horsf";
const STEP: i64 = 30;
const MINUTE: i64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_needs_the_second_factor_once_it_is_enabled() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(&database).await;
        let (app, codes) = it.switch_on().await;
        assert_eq!(codes.len(), 10);
        it.clock.advance(STEP);
        let begun = it.sign_in().await;
        assert_eq!(begun.session.standing, Standing::OwesFactor);
        assert!(!begun.session.is_confirmed);
        assert_eq!(it.session(&begun).await.unwrap(), begun.session);

        let code = it.code(&app);
        let whole = it.confirm(begun.token.as_str(), &code).await.unwrap().unwrap();
        assert!(it.session(&begun).await.is_none(), "the earlier token is not valid");
        let session = it.admins.session(&whole).await.unwrap().unwrap();
        assert_eq!((session.standing, session.is_confirmed), (Standing::Whole, true));
        let log = it.log().await;
        assert_eq!(
            log[..2],
            ["ada signed_in from 192.0.2.1", "ada passed_first_factor from 192.0.2.1"]
        );

        let again = it.sign_in().await;
        let replayed = it.confirm(again.token.as_str(), &code).await;
        assert_eq!(replayed, Err(0), "a code is accepted once");
        assert_eq!(it.log().await[0], "ada second_factor_failed from 192.0.2.1");
        it.clock.advance(STEP);
        assert!(it.confirm(again.token.as_str(), &it.code(&app)).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_correct_code_enables_it() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let session = it.sign_in().await;
    let token = session.token.as_str();
    let offer = async || it.admins.offer_second_factor(token).await.unwrap().unwrap().secret();
    let secret = offer().await;
    assert_eq!(offer().await, secret, "the secret stays the same during the set-up");
    let app = Authenticator::new(&secret);
    let wrong = app.code(it.clock.now() + chrono::TimeDelta::hours(1));
    for code in ["", "123", &wrong] {
        let error = it.admins.enable_second_factor(token, code).await.unwrap_err();
        assert!(matches!(error, FactorError::WrongCode), "{code}: {error}");
    }
    assert!(!it.admins.second_factors(&ada()).await.unwrap().is_on());
    let early = app.code(it.clock.now() - chrono::TimeDelta::seconds(STEP));
    it.admins.enable_second_factor(token, &early).await.unwrap();
    let factors = it.admins.second_factors(&ada()).await.unwrap();
    assert_eq!((factors.app_since, factors.recovery_codes), (Some(it.clock.now()), 10));
    assert!(it.admins.offer_second_factor(token).await.unwrap().is_none(), "it is enabled");
    let again = it.admins.enable_second_factor(token, &it.code(&app)).await.unwrap_err();
    assert!(matches!(again, FactorError::NotOffered), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_sign_in_allows_nothing_and_expires_soon() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let (app, _) = it.switch_on().await;
    it.clock.advance(STEP);
    let half = it.sign_in().await;
    let token = half.token.as_str();
    assert!(it.admins.offer_second_factor(token).await.unwrap().is_none());
    assert!(it.admins.enable_second_factor(token, &it.code(&app)).await.is_err());
    it.clock.advance(10 * MINUTE - 1);
    assert!(it.session(&half).await.is_some());
    it.clock.advance(1);
    assert!(it.session(&half).await.is_none());
    assert_eq!(it.confirm(token, &it.code(&app)).await, Err(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_replaces_the_app_once() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(&database).await;
        let (_, codes) = it.switch_on().await;
        let typed = codes[3].to_string().to_uppercase().replace('-', " ");
        let half = it.sign_in().await;
        assert!(it.confirm(half.token.as_str(), &typed).await.is_ok());
        let again = it.sign_in().await;
        assert_eq!(it.confirm(again.token.as_str(), &typed).await, Err(0));
        let left = it.admins.second_factors(&ada()).await.unwrap().recovery_codes;
        assert_eq!(left, 9);
        assert!(it.log().await.contains(&"ada used_recovery_code 9 left".to_owned()));

        let new = it.admins.renew_recovery_codes(&ada()).await.unwrap().unwrap();
        assert_eq!(it.confirm(again.token.as_str(), &codes[4].to_string()).await, Err(0));
        assert!(it.confirm(again.token.as_str(), &new[4].to_string()).await.is_ok());
        assert!(it.admins.renew_recovery_codes(&owner()).await.unwrap().is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_cannot_be_guessed_with_the_password() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(&database).await;
        let (app, codes) = it.switch_on().await;
        it.clock.advance(STEP);
        // A correct password before each guess does not clear the earlier guesses.
        let guess = async |code: &str, address: u8| {
            let half = it.admins.sign_in("ada", PASSWORD, away(address)).await;
            let half = half.map_err(waits)?;
            it.admins.confirm(half.token.as_str(), code, away(address)).await.map_err(waits)
        };
        for n in 0..5 {
            assert_eq!(guess("000000", 1).await, Err(0), "{n}");
        }
        assert_eq!(guess("000000", 1).await, Err(30));
        assert_eq!(guess(&it.code(&app), 1).await, Err(30), "even with the correct code");
        assert_eq!(guess(&codes[0].to_string(), 1).await, Err(30));
        // New addresses do not make it faster.
        for n in 0..5 {
            assert_eq!(guess("000000", 10 + n).await, Err(0), "{n}");
        }
        assert_eq!(guess("000000", 20).await, Err(30));
        assert_eq!(guess(&it.code(&app), 21).await, Err(30));
        it.clock.advance(30);
        assert_eq!(guess("000000", 22).await, Err(0));
        assert_eq!(guess("000000", 23).await, Err(60));
        it.clock.advance(60);
        assert!(guess(&it.code(&app), 24).await.is_ok());
        it.clock.advance(STEP);
        assert!(guess(&it.code(&app), 25).await.is_ok(), "the failures have expired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_lasts_a_quarter_of_an_hour() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let account = it.sign_in().await;
    let is_confirmed = async |session: &SignIn| it.session(session).await.unwrap().is_confirmed;
    it.clock.advance(15 * MINUTE - 1);
    assert!(is_confirmed(&account).await);
    it.clock.advance(1);
    assert!(!is_confirmed(&account).await);
    let token = account.token.as_str();
    assert_eq!(it.confirm(token, WRONG).await, Err(0));
    assert!(!is_confirmed(&account).await);
    assert_eq!(it.confirm(token, PASSWORD).await, Ok(None), "the token stays");
    assert!(is_confirmed(&account).await);
    let expected = ["ada confirmed from 192.0.2.1", "ada confirmation_failed from 192.0.2.1"];
    assert_eq!(it.log().await[..2], expected);

    // With a second factor, the password is not enough.
    let (app, _) = it.switch_on_in(token).await;
    it.clock.advance(15 * MINUTE);
    assert_eq!(it.confirm(token, PASSWORD).await, Err(0));
    assert_eq!(it.confirm(token, &it.code(&app)).await, Ok(None));
    assert!(is_confirmed(&account).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_delay_confirmations_and_sign_ins() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let session = it.sign_in().await;
    for _ in 0..5 {
        assert_eq!(it.confirm(session.token.as_str(), WRONG).await, Err(0));
    }
    assert_eq!(it.confirm(session.token.as_str(), PASSWORD).await, Err(30));
    let refused = it.admins.sign_in("ada", PASSWORD, home()).await;
    assert_eq!(refused.map_err(waits), Err(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_owners_confirm_by_another_link() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let link = async |user: i64| it.admins.create_link(id(user)).await.unwrap().unwrap();
    let first = link(7).await;
    let session = it.admins.sign_in_by_link(first.as_str(), home()).await.unwrap();
    let token = session.token.as_str();
    it.clock.advance(15 * MINUTE);
    let others = link(8).await;
    for odd in ["", "x", first.as_str(), others.as_str()] {
        assert_eq!(it.confirm(token, odd).await, Err(0), "{odd}");
    }
    let late = link(7).await;
    it.clock.advance(5 * MINUTE);
    it.clock.advance(3600);
    assert_eq!(it.confirm(token, late.as_str()).await, Err(0));
    let url = format!(" https://bot.example.org/admin/link/{} ", link(7).await.as_str());
    assert_eq!(it.confirm(token, &url).await, Ok(None));
    assert!(it.session(&session).await.unwrap().is_confirmed);

    // Telegram counts as one factor.
    let (app, _) = it.switch_on_in(token).await;
    it.clock.advance(STEP);
    let half = it.admins.sign_in_by_link(link(7).await.as_str(), home()).await.unwrap();
    assert_eq!(half.session.standing, Standing::OwesFactor);
    assert_eq!(it.confirm(half.token.as_str(), link(7).await.as_str()).await, Err(0));
    assert!(it.confirm(half.token.as_str(), &it.code(&app)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_factor_is_set_up_first() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let strict = it.admins.clone().requiring_second_factor(true);
    let before = it.sign_in().await;
    let standing =
        async |token: &str| strict.session(token).await.unwrap().map(|session| session.standing);
    let token = before.token.as_str();
    assert_eq!(standing(token).await, Some(Standing::OwesSetup), "also in earlier sessions");
    let signed_in = strict.sign_in("ada", PASSWORD, home()).await.unwrap();
    assert_eq!(signed_in.session.standing, Standing::OwesSetup);
    it.switch_on_in(token).await;
    assert_eq!(standing(token).await, Some(Standing::Whole));
    it.admins.disable_second_factor(token).await.unwrap();
    assert_eq!(standing(token).await, Some(Standing::OwesSetup));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_lets_an_admin_without_the_app_in() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    it.switch_on().await;
    let half = it.sign_in().await;
    assert!(it.admins.reset_second_factor(&ada(), None).await.unwrap());
    assert!(!it.admins.reset_second_factor(&ada(), None).await.unwrap());
    assert!(it.session(&half).await.is_none());
    assert_eq!(it.log().await[0], "- reset_second_factor ada");
    assert_eq!(it.sign_in().await.session.standing, Standing::Whole);
}

/// An account without a second factor.
struct Story {
    admins: AdminService,
    clock: Arc<TestClock>,
}

impl Story {
    async fn new(database: &ThrowAwayDatabase) -> Self {
        let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
        let database = Database::open(database.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        let storage = DieselAdminRepository::new(database);
        let owners = [id(7), id(8)].into();
        let admins = AdminService::new(storage, clock.clone(), owners);
        let name: AdminName = "ada".parse().unwrap();
        admins.create_account(&name, PASSWORD, Role::Owner, None).await.unwrap();
        Self { admins, clock }
    }

    async fn sign_in(&self) -> SignIn {
        self.admins.sign_in("ada", PASSWORD, home()).await.unwrap()
    }

    async fn session(&self, signed_in: &SignIn) -> Option<Session> {
        self.admins.session(signed_in.token.as_str()).await.unwrap()
    }

    /// Enables the second factor, and returns the app that shows its codes and the recovery codes.
    async fn switch_on(&self) -> (Authenticator, Vec<RecoveryCode>) {
        self.switch_on_in(self.sign_in().await.token.as_str()).await
    }

    async fn switch_on_in(&self, token: &str) -> (Authenticator, Vec<RecoveryCode>) {
        let offered = self.admins.offer_second_factor(token).await.unwrap().unwrap();
        let app = Authenticator::new(&offered.secret());
        let codes = self.admins.enable_second_factor(token, &self.code(&app)).await.unwrap();
        (app, codes.unwrap())
    }

    /// The present code of the app.
    fn code(&self, app: &Authenticator) -> String {
        app.code(self.clock.now())
    }

    /// Confirms the identity, and returns the new token, if any. A failure returns the seconds until the
    /// next attempt; 0 if it may follow at once.
    async fn confirm(&self, token: &str, proof: &str) -> Result<Option<String>, u64> {
        let confirmed = self.admins.confirm(token, proof, home()).await.map_err(waits)?;
        Ok(confirmed.token.map(|token| token.as_str().to_owned()))
    }

    /// The entries of the audit log, the newest first.
    async fn log(&self) -> Vec<String> {
        let entries = self.admins.audit_log(&AuditFilter::all(), None, 100).await.unwrap();
        let line = |entry: rollcall_domain::AuditEntry| {
            let admin = entry.admin.map_or("-".to_owned(), |admin| admin.to_string());
            let action: AuditAction = entry.action;
            format!("{admin} {} {}", action.name(), entry.new.unwrap_or_default())
        };
        entries.into_iter().map(line).collect()
    }
}

/// The seconds until the next attempt; 0 if it may follow at once.
fn waits(error: SignInError) -> u64 {
    match error {
        SignInError::Refused => 0,
        SignInError::Throttled { retry_after } => retry_after.as_secs(),
        error @ (SignInError::Busy | SignInError::Storage(_)) => panic!("{error}"),
    }
}

fn ada() -> Admin {
    "ada".parse().unwrap()
}

fn owner() -> Admin {
    Admin::Telegram(id(7))
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
