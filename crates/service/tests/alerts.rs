//! The alerts about sign-ins, over real databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::IpAddr, sync::Arc};

use futures_util::FutureExt as _;
use rollcall_domain::{Admin, Clock, Role};
use rollcall_repository_diesel::{Database, DieselAdminRepository};
use rollcall_service::{AdminService, Alert, Alerts, Device, DeviceCookie, Report};
use rollcall_testkit::{Authenticator, TestClock, ThrowAwayDatabase};

const PASSWORD: &str = "correct horse";
const WRONG: &str = "correct horsf";
const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_names_existing_accounts_and_no_other_typed_text() {
    for database in ThrowAwayDatabase::of_each_kind() {
        for (typed, named) in [(" Ada ", Some("ada")), ("my-password", None), ("no name", None)] {
            let it = Story::new(&database).await;
            let address = IpAddr::from([198, 51, 100, u8::try_from(typed.len()).unwrap()]);
            for _ in 0..5 {
                assert!(it.admins.sign_in(typed, WRONG, address).await.is_err());
                assert_eq!(it.raised(), None, "a failure alone raises no alert");
            }
            for _ in 0..3 {
                assert!(it.admins.sign_in(typed, PASSWORD, address).await.is_err());
            }
            let admin = named.map(admin);
            let alert = Alert::SignInsFail { admin, address };
            assert_eq!(it.raised(), Some(Report { alert, at: it.clock.now(), more: 0 }));
            it.clock.advance(30);
            assert!(it.admins.sign_in(typed, WRONG, address).await.is_err());
            assert!(it.admins.sign_in(typed, WRONG, address).await.is_err());
            assert_eq!(it.raised(), None, "the next report is hours away");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessed_codes_raise_an_alert_too() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    it.switch_on().await;
    it.clock.advance(30);
    for _ in 0..6 {
        let half = it.admins.sign_in("ada", PASSWORD, HOME).await.unwrap();
        assert!(it.admins.confirm(half.token.as_str(), "000000", HOME).await.is_err());
    }
    let alert = Alert::SignInsFail { admin: Some(admin("ada")), address: HOME };
    assert_eq!(it.raised().unwrap().alert, alert);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_new_once_after_all_factors() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let it = Story::new(&database).await;
        let first = it.admins.sign_in("ada", PASSWORD, device("")).await.unwrap();
        let new = Alert::NewDevice {
            admin: admin("ada"),
            device: "Firefox on Linux".to_owned(),
            address: HOME,
        };
        let at = it.clock.now();
        assert_eq!(it.raised(), Some(Report { alert: new.clone(), at, more: 0 }));
        let known = it.admins.remember_device(first.token.as_str(), DeviceCookie::default()).await;
        let known = known.unwrap().unwrap();

        let it = it.again(&database).await;
        let again = it.admins.sign_in("ada", PASSWORD, device(known.as_str())).await.unwrap();
        assert_eq!(it.raised(), None);
        let grace = it.admins.sign_in("grace", PASSWORD, device(known.as_str())).await;
        assert!(grace.is_ok());
        let graces = it.raised().unwrap().alert;
        assert!(
            matches!(&graces, Alert::NewDevice { admin: it, .. } if *it == admin("grace")),
            "it is known to another admin only: {graces:?}"
        );

        // With a second factor, the sign-in is not complete before it.
        let it = it.again(&database).await;
        let app = it.switch_on_in(again.token.as_str()).await;
        it.clock.advance(30);
        let half = it.admins.sign_in("ada", PASSWORD, device(known.as_str())).await.unwrap();
        assert_eq!(it.raised(), None);
        let code = app.code(it.clock.now());
        assert!(it.admins.confirm(half.token.as_str(), &code, device("x")).await.is_ok());
        assert_eq!(it.raised().unwrap().alert, new);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_invitations_count_as_sign_ins() {
    let database = ThrowAwayDatabase::sqlite();
    let it = Story::new(&database).await;
    let link = it.admins.create_link(7.try_into().unwrap()).await.unwrap().unwrap();
    it.admins.sign_in_by_link(link.as_str(), HOME).await.unwrap();
    let alert = it.raised().unwrap().alert;
    let owner = admin("telegram:7");
    let new = |admin| Alert::NewDevice { admin, device: String::new(), address: HOME };
    assert_eq!(alert, new(owner.clone()));
    let life = rollcall_service::InvitationLife::Day;
    let invitation = it.admins.invite(Role::Viewer, life, &owner).await.unwrap();
    let name = "bob".parse().unwrap();
    it.admins.accept_invitation(invitation.as_str(), &name, PASSWORD, HOME).await.unwrap();
    assert_eq!(it.raised().unwrap().alert, new(admin("bob")));
}

/// Two accounts, and an owner by Telegram.
struct Story {
    admins: AdminService,
    alerts: Alerts,
    clock: Arc<TestClock>,
}

impl Story {
    async fn new(database: &ThrowAwayDatabase) -> Self {
        let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
        let it = Self::with(clock, database).await;
        for name in ["ada", "grace"] {
            let name = name.parse().unwrap();
            // An earlier test on this database may have created them.
            let _made = it.admins.create_account(&name, PASSWORD, Role::Owner, None).await;
        }
        it
    }

    /// The same after a restart, before any report.
    async fn again(self, database: &ThrowAwayDatabase) -> Self {
        Self::with(self.clock, database).await
    }

    async fn with(clock: Arc<TestClock>, database: &ThrowAwayDatabase) -> Self {
        let database = Database::open(database.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        let (alerts, owners) = (Alerts::default(), [7.try_into().unwrap()].into());
        let storage = DieselAdminRepository::new(database);
        let admins = AdminService::new(storage, clock.clone(), owners);
        Self { admins: admins.alerting(alerts.clone()), alerts, clock }
    }

    /// The report that is due now.
    fn raised(&self) -> Option<Report> {
        self.alerts.next().now_or_never()
    }

    async fn switch_on(&self) -> Authenticator {
        let signed_in = self.admins.sign_in("ada", PASSWORD, HOME).await.unwrap();
        assert!(self.raised().is_some());
        self.switch_on_in(signed_in.token.as_str()).await
    }

    async fn switch_on_in(&self, token: &str) -> Authenticator {
        let offered = self.admins.offer_second_factor(token).await.unwrap().unwrap();
        let app = Authenticator::new(&offered.secret());
        let code = app.code(self.clock.now());
        self.admins.enable_second_factor(token, &code).await.unwrap();
        app
    }
}

fn device(cookie: &str) -> Device {
    let (name, cookie) = ("Firefox on Linux".to_owned(), cookie.to_owned().into());
    Device { name, address: HOME, cookie }
}

fn admin(name: &str) -> Admin {
    name.parse().unwrap()
}
