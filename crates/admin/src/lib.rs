//! Rollcall's web admin: pages, made on the server, on which a bot's owners see, find and understand
//! its users. They work without a script, and better with the small one in `assets/`.
//!
//! [`Admin::new`] answers an axum router with everything in it. What is served, and who may see it,
//! is one table: [`routes`].
//!
//! To add a page: its handler in a module named for what it shows, its template in `templates/`,
//! and its line in the table of `routes.rs`, without which it is not served.

mod account;
mod address;
mod admins;
mod assets;
mod audit;
mod chart;
mod confirm;
mod cookie;
mod dashboard;
mod definitions;
mod delete;
mod device;
mod explain;
mod export;
mod form;
mod frame;
mod gate;
mod heat_map;
mod invitations;
mod passkey_site;
mod passkeys;
mod password;
mod preferences;
mod qr;
mod query;
mod routes;
mod second_factor;
mod security;
mod session;
mod sign_in;
mod text;
mod user;
mod users;
mod zone;

use std::sync::Arc;

use axum::Router;
use ipnet::IpNet;
use rollcall_domain::Clock;
use rollcall_service::{
    ActivityService, AdminService, DirectoryService, PreferencesService, ScheduleService,
    TransferService, UserService,
};
use tokio::sync::Semaphore;

pub use address::ForwardedHeader;
use assets::Assets;
pub use routes::{Access, Route, routes};

/// How many exports may be sent at once.
const EXPORTS_AT_ONCE: usize = 2;

/// How the admin is reached from outside.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What its paths begin with, such as `/rollcall`; empty where nothing stands before `/admin`.
    pub prefix: String,
    /// The origin that people's browsers see, such as `https://bot.example.org`, if it is known.
    pub origin: Option<String>,
    /// The proxies that are believed when they tell whose request they pass on.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they do.
    pub forwarded_header: ForwardedHeader,
    /// The networks that may reach it; everybody may where there are none.
    pub allowed_networks: Vec<IpNet>,
}

impl Settings {
    /// Whether people come by https, so that cookies may ask for it.
    fn is_https(&self) -> bool {
        self.origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }
}

/// What the pages show, and change.
#[derive(Clone)]
pub struct Services {
    /// The figures of the dashboard.
    pub activity: ActivityService,
    /// Who may see the pages, and what they did.
    pub admins: AdminService,
    /// The list of users, and what is known of one.
    pub directory: DirectoryService,
    /// What users have chosen.
    pub preferences: PreferencesService,
    /// The teams that can be chosen.
    pub schedule: ScheduleService,
    /// Users as files.
    pub transfer: TransferService,
    /// The users, to be deleted.
    pub users: UserService,
}

/// The web admin.
#[derive(Debug)]
pub struct Admin;

impl Admin {
    /// A router with every page, under the prefix of the settings and `/admin`.
    ///
    /// The server has to add an [`axum::extract::ConnectInfo`] with the address of its peer to the
    /// extensions of each request: attempts to sign in are counted by it.
    #[expect(clippy::new_ret_no_self, reason = "a router is all there is to have of it")]
    pub fn new(settings: Settings, services: Services, clock: impl Clock + 'static) -> Router {
        let Services { activity, admins, directory, preferences, schedule, transfer, users } =
            services;
        routes::router(App {
            base: format!("{}/admin", settings.prefix).into(),
            admins,
            directory,
            preferences,
            schedule,
            transfer,
            users,
            activity,
            clock: Arc::new(clock),
            assets: Arc::new(Assets::new()),
            exports: Arc::new(Semaphore::new(EXPORTS_AT_ONCE)),
            pace: Arc::default(),
            settings: Arc::new(settings),
        })
    }
}

/// What the pages are made from. Cheap to clone.
#[derive(Clone)]
struct App {
    /// What every path begins with, such as `/admin`.
    base: Arc<str>,
    admins: AdminService,
    directory: DirectoryService,
    preferences: PreferencesService,
    schedule: ScheduleService,
    transfer: TransferService,
    users: UserService,
    activity: ActivityService,
    clock: Arc<dyn Clock>,
    assets: Arc<Assets>,
    /// Room for exports: each holds some MiB while its browser takes its time.
    exports: Arc<Semaphore>,
    pace: Arc<gate::Pace>,
    settings: Arc<Settings>,
}
