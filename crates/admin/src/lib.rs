//! Rollcall's web admin: pages, made on the server, on which a bot's owners see, find and understand
//! its users. They work without a script, and better with the small one in `assets/`.
//!
//! [`Admin::new`] answers an axum router with everything in it. What is served, and who may see it,
//! is one table: [`routes`].
//!
//! To add a page: its handler in a module named for what it shows, its template in `templates/`,
//! and its line in the table of `routes.rs`, without which it is not served.

mod account;
mod admins;
mod app;
mod audit;
mod chart;
mod dashboard;
mod page;
mod presets;
mod request;
mod routes;
mod session;
mod settings;
mod users;

use std::sync::Arc;

use axum::Router;
use rollcall_domain::Clock;
use rollcall_service::{
    ActivityService, AdminService, DirectoryService, PreferencesService, ScheduleService,
    TransferService, UserService,
};
use tokio::sync::Semaphore;

use app::App;
use page::Assets;
pub use request::ForwardedHeader;
pub use routes::{Route, routes};
pub use session::Access;
pub use settings::Settings;

/// How many exports may be sent at once.
const EXPORTS_AT_ONCE: usize = 2;

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
            rate_limiter: Arc::default(),
            settings: Arc::new(settings),
        })
    }
}
