//! Known devices of an admin do not wait for the failures of others, over real databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{net::IpAddr, sync::Arc};

use rollcall_domain::{Admin, AdminName, Clock, Role, TelegramId};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::{AdminService, Device, DeviceCookie, SignIn, SignInError};
use rollcall_testkit::{Authenticator, TestClock, ThrowAwayDatabase};

const PASSWORD: &str = "correct horse";
const WRONG: &str = "correct horsf";
const STEP: i64 = 30;
const DAY: i64 = 24 * 60 * 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_account_lets_known_devices_in() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(database).await;
        let known = it.know("ada", DeviceCookie::default()).await;
        it.lock("ada").await;
        let other = it.process().await;
        for admins in [&it.admins, &other] {
            assert_eq!(sign_in(admins, "ada", PASSWORD, &stranger(60)).await, Err(1));
            assert_eq!(sign_in(admins, "ada", PASSWORD, &at_home(&known)).await, Ok(()));
            assert_eq!(sign_in(admins, "ada", WRONG, &at_home(&known)).await, Err(0));
        }
        // Another admin's cookie or a forged one does not help.
        let graces = it.know("grace", DeviceCookie::default()).await;
        let made_up = DeviceCookie::from(known.as_str().replace(['A', 'B', 'C'], "D"));
        for cookie in [&graces, &made_up, &DeviceCookie::from("x".to_owned())] {
            assert_eq!(sign_in(&it.admins, "ada", PASSWORD, &at_home(cookie)).await, Err(1));
        }
        assert_eq!(sign_in(&it.admins, "grace", PASSWORD, &at_home(&graces)).await, Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_address_does_not_delay_known_devices() {
    let it = Story::new(ThrowAwayDatabase::sqlite()).await;
    let known = it.know("ada", DeviceCookie::default()).await;
    let stranger = Device::from(HOME);
    for n in 0..5 {
        assert_eq!(sign_in(&it.admins, "ada", WRONG, &stranger).await, Err(0), "{n}");
    }
    for n in 0..25 {
        let name = format!("name-{n}");
        assert_eq!(sign_in(&it.admins, &name, WRONG, &stranger).await, Err(0), "{n}");
    }
    assert_eq!(sign_in(&it.admins, "grace", PASSWORD, &stranger).await, Err(30));
    assert_eq!(sign_in(&it.admins, "ada", PASSWORD, &stranger).await, Err(30));
    assert_eq!(sign_in(&it.admins, "ada", PASSWORD, &at_home(&known)).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_cookie_allows_only_a_few_guesses() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(database).await;
        let known = it.know("ada", DeviceCookie::default()).await;
        it.lock("ada").await;
        let guess = async |admins: &AdminService, n: u8| {
            let thief = Device { cookie: known.clone(), ..stranger(100 + n) };
            sign_in(admins, "ada", WRONG, &thief).await
        };
        for n in 0..5 {
            assert_eq!(guess(&it.admins, n).await, Err(0), "{n}");
        }
        let other = it.process().await;
        for admins in [&it.admins, &other] {
            assert_eq!(guess(admins, 6).await, Err(1), "it waits like an unknown device");
            assert_eq!(sign_in(admins, "ada", PASSWORD, &at_home(&known)).await, Err(1));
        }
        it.clock.advance(30);
        it.lock_again("ada").await;
        assert_eq!(guess(&it.admins, 7).await, Err(0), "one more after half a minute");
        assert!(guess(&it.admins, 8).await > Err(0));
        it.clock.advance(59);
        it.lock_again("ada").await;
        assert!(guess(&it.admins, 9).await > Err(0), "the next one after a minute");
        it.clock.advance(1);
        assert!(sign_in(&it.admins, "ada", PASSWORD, &stranger(60)).await > Err(0));
        // The owner is let in, and the guesses are forgotten.
        assert_eq!(sign_in(&it.admins, "ada", PASSWORD, &at_home(&known)).await, Ok(()));
        for n in 0..5 {
            assert_eq!(guess(&it.admins, n).await, Err(0), "{n}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_a_second_factor_delay_only_unknown_devices() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(database).await;
        let session = it.open("ada", &Device::from(HOME)).await;
        let before = it.remember(&session, DeviceCookie::default()).await.unwrap();
        let app = it.switch_on(&session).await;
        let known = it.remember(&session, before.clone()).await.unwrap();
        it.clock.advance(STEP);
        let give = async |code: &str, device: &Device| {
            let half = it.admins.sign_in("ada", PASSWORD, device.clone()).await.unwrap();
            assert_eq!(
                it.remember(&half, device.cookie.clone()).await,
                None,
                "the second factor is missing"
            );
            it.admins.confirm(half.token.as_str(), code, device.clone()).await.map_err(waits)
        };
        for n in 0..10 {
            assert_eq!(give("000000", &stranger(n)).await, Err(0), "{n}");
        }
        assert_eq!(give(&it.code(&app), &stranger(60)).await, Err(30));
        let only_password = at_home(&before);
        assert_eq!(
            give(&it.code(&app), &only_password).await,
            Err(30),
            "the cookie is from before the factor"
        );
        let whole = give(&it.code(&app), &at_home(&known)).await.unwrap().token.unwrap();
        let again = it.admins.remember_device(whole.as_str(), known.clone()).await.unwrap();
        assert!(again.is_some());

        let thief = |n: u8| Device { cookie: known.clone(), ..stranger(100 + n) };
        for n in 0..5 {
            assert_eq!(give("000000", &thief(n)).await, Err(0), "{n}");
        }
        // Correct passwords do not clear wrong codes.
        assert_eq!(give("000000", &thief(9)).await, Err(30));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_the_other_sessions_makes_the_other_devices_unknown() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(database).await;
        let ada: AdminName = "ada".parse().unwrap();
        let session = it.open("ada", &Device::from(HOME)).await;
        let own = it.remember(&session, DeviceCookie::default()).await.unwrap();
        let other = it.know("ada", DeviceCookie::default()).await;
        it.lock("ada").await;
        let is_known = async |password: &str, cookie: &DeviceCookie| {
            sign_in(&it.admins, "ada", password, &at_home(cookie)).await.is_ok()
        };
        assert!(is_known(PASSWORD, &own).await && is_known(PASSWORD, &other).await);

        let (token, new) = (session.token.as_str(), "battery staple");
        it.admins.change_password(token, PASSWORD, new, at_home(&own)).await.unwrap();
        assert!(!is_known(new, &own).await && !is_known(new, &other).await);
        let own = it.remember(&session, own).await.unwrap();
        assert!(is_known(new, &own).await, "the device in use gets a new cookie");
        assert!(!is_known(new, &other).await);

        it.admins.end_other_sessions(token).await.unwrap();
        let own = it.remember(&session, own).await.unwrap();
        assert!(is_known(new, &own).await);
        it.admins.sign_out_everywhere(&Admin::Account(ada.clone())).await.unwrap();
        assert!(!is_known(new, &own).await);
        assert_eq!(it.remember(&session, own.clone()).await, None, "the session has ended");

        // A new account with the same name is another admin.
        it.admins.remove_account(&ada, None).await.unwrap();
        it.admins.create_account(&ada, new, Role::Viewer, None).await.unwrap();
        for cookie in [&own, &other] {
            assert!(!is_known(new, cookie).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_confirmed_on_a_known_device_while_the_account_is_locked() {
    let it = Story::new(ThrowAwayDatabase::sqlite()).await;
    let session = it.open("ada", &Device::from(HOME)).await;
    let known = it.remember(&session, DeviceCookie::default()).await.unwrap();
    it.lock("ada").await;
    let token = session.token.as_str();
    let confirm = async |device: Device| {
        it.admins.confirm(token, PASSWORD, device).await.map(|_| ()).map_err(waits)
    };
    assert_eq!(confirm(Device::from(HOME)).await, Err(1));
    assert_eq!(confirm(at_home(&known)).await, Ok(()));
    let new = "battery staple";
    let change = async |device| it.admins.change_password(token, PASSWORD, new, device).await;
    assert!(change(Device::from(HOME)).await.is_err());
    assert!(change(at_home(&known)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_by_telegram_has_known_devices_too() {
    let it = Story::new(ThrowAwayDatabase::sqlite()).await;
    let link = async || it.admins.create_link(id(7)).await.unwrap().unwrap();
    let by_link = async |device: Device| {
        it.admins.sign_in_by_link(link().await.as_str(), device).await.unwrap()
    };
    let session = by_link(HOME.into()).await;
    let app = it.switch_on(&session).await;
    let known = it.remember(&session, DeviceCookie::default()).await.unwrap();
    it.clock.advance(STEP);
    for n in 0..10 {
        let half = by_link(stranger(n)).await;
        let guess = it.admins.confirm(half.token.as_str(), "000000", stranger(n)).await;
        assert_eq!(guess.map_err(waits), Err(0), "{n}");
    }
    let half = by_link(HOME.into()).await;
    let confirm = async |device: Device| {
        it.admins.confirm(half.token.as_str(), &it.code(&app), device).await.map_err(waits)
    };
    assert_eq!(confirm(HOME.into()).await, Err(30));
    assert!(confirm(at_home(&known)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_known_for_a_year_and_to_several_admins() {
    let it = Story::new(ThrowAwayDatabase::sqlite()).await;
    let known = it.know("ada", DeviceCookie::default()).await;
    it.clock.advance(300 * DAY);
    let both = it.know("grace", known.clone()).await;
    it.clock.advance(64 * DAY);
    for name in ["ada", "grace"] {
        it.lock(name).await;
        assert_eq!(sign_in(&it.admins, name, PASSWORD, &at_home(&both)).await, Ok(()));
    }
    it.clock.advance(DAY);
    for (name, signed_in) in [("ada", Err(1)), ("grace", Ok(()))] {
        it.lock(name).await;
        assert_eq!(sign_in(&it.admins, name, PASSWORD, &at_home(&both)).await, signed_in);
    }
}

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

/// Two accounts, and owners by Telegram.
struct Story {
    admins: AdminService,
    clock: Arc<TestClock>,
    database: ThrowAwayDatabase,
}

impl Story {
    async fn new(database: ThrowAwayDatabase) -> Self {
        let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
        let admins = service(database.url(), &clock).await;
        for name in ["ada", "grace"] {
            let name: AdminName = name.parse().unwrap();
            admins.create_account(&name, PASSWORD, Role::Owner, None).await.unwrap();
        }
        Self { admins, clock, database }
    }

    /// Another process on the same database.
    async fn process(&self) -> AdminService {
        service(self.database.url(), &self.clock).await
    }

    async fn open(&self, name: &str, device: &Device) -> SignIn {
        self.admins.sign_in(name, PASSWORD, device.clone()).await.unwrap()
    }

    async fn remember(&self, session: &SignIn, cookie: DeviceCookie) -> Option<DeviceCookie> {
        self.admins.remember_device(session.token.as_str(), cookie).await.unwrap()
    }

    /// The cookie of a device after a sign-in on it.
    async fn know(&self, name: &str, cookie: DeviceCookie) -> DeviceCookie {
        let session = self.open(name, &Device::from(HOME)).await;
        self.remember(&session, cookie).await.unwrap()
    }

    /// Fails to sign in from so many addresses that unknown devices have to wait.
    async fn lock(&self, name: &str) {
        for n in 0..50 {
            assert_eq!(sign_in(&self.admins, name, WRONG, &stranger(n)).await, Err(0), "{n}");
        }
    }

    /// Fails once more after the wait.
    async fn lock_again(&self, name: &str) {
        assert_eq!(sign_in(&self.admins, name, WRONG, &stranger(200)).await, Err(0));
    }

    async fn switch_on(&self, session: &SignIn) -> Authenticator {
        let token = session.token.as_str();
        let offered = self.admins.offer_second_factor(token).await.unwrap().unwrap();
        let app = Authenticator::new(&offered.secret());
        self.admins.enable_second_factor(token, &self.code(&app)).await.unwrap();
        app
    }

    /// The present code of the app.
    fn code(&self, app: &Authenticator) -> String {
        app.code(self.clock.now())
    }
}

/// Signs in. A failure returns the seconds until the next attempt; 0 if it may follow at once.
async fn sign_in(
    admins: &AdminService,
    name: &str,
    password: &str,
    device: &Device,
) -> Result<(), u64> {
    admins.sign_in(name, password, device.clone()).await.map(|_| ()).map_err(waits)
}

fn waits(error: SignInError) -> u64 {
    match error {
        SignInError::Refused => 0,
        SignInError::Throttled { retry_after } => retry_after.as_secs(),
        error => panic!("{error}"),
    }
}

fn at_home(cookie: &DeviceCookie) -> Device {
    Device { cookie: cookie.clone(), ..Device::from(HOME) }
}

/// An unknown device with an address of its own.
fn stranger(n: u8) -> Device {
    IpAddr::from([198, 51, 100, n]).into()
}

fn id(id: i64) -> TelegramId {
    id.try_into().unwrap()
}

async fn service(url: &str, clock: &Arc<TestClock>) -> AdminService {
    let database = Database::open(url.parse().unwrap()).await.unwrap();
    database.migrate().await.unwrap();
    let owners = [id(7), id(8)].into();
    AdminService::new(DieselAdminRepository::new(database), clock.clone(), owners)
}
