//! Rollcall's web admin: pages on which admins see, find and understand the users of a bot. The
//! server renders them. They work without scripts; the small script in `assets/` adds convenience.
//!
//! [`Admin::router`] returns an axum router with all pages. One table, [`routes`], lists what is served
//! and which role it needs.
//!
//! To add a page, write its handler in a module named for what the page shows, its template in
//! `templates/`, and its line in the table of `routes.rs`. Without that line it is not served.

mod account;
mod admins;
mod app;
mod audience;
mod audit;
mod broadcasts;
mod chart;
mod dashboard;
mod page;
mod presets;
mod request;
mod requests;
mod routes;
mod segments;
mod session;
mod settings;
mod users;

use std::sync::Arc;

use axum::Router;
use rollcall_domain::Clock;
use rollcall_service::{
    ActivityService, AdminService, AudienceService, BroadcastService, DeletionService,
    DirectoryService, LabelService, Messenger, PersonalDataService, PreferencesService,
    PrivacyRequestService, ScheduleService, SegmentService, TransferService, UserService,
};
use tokio::sync::{Semaphore, watch};

use app::App;
use audience::Counts;
use page::Assets;
pub use page::Behind;
pub use request::{ForwardedHeader, client_address};
pub use routes::{EXPORT, Route, routes};
pub use session::Access;
pub use settings::Settings;

/// How many pictures may be uploaded or shown at once, each of up to 10 MiB.
const PICTURES_AT_ONCE: usize = 4;
/// How many exports may run at once.
const EXPORTS_AT_ONCE: usize = 2;

/// The services that the pages use.
#[derive(Clone)]
pub struct Services {
    /// Lists, figures and exports.
    pub reads: Reads,
    /// Accounts, sessions and the audit log.
    pub admins: AdminService,
    /// Broadcasts.
    pub broadcasts: BroadcastService,
    /// Deleting users.
    pub deletion: DeletionService,
    /// Tags and groups.
    pub labels: LabelService,
    /// Sends messages; `None` in a process that is no bot.
    pub messenger: Option<Arc<dyn Messenger>>,
    /// Copies of what is stored about a user.
    pub personal_data: PersonalDataService,
    /// The preferences of users.
    pub preferences: PreferencesService,
    /// What people asked about their data.
    pub privacy_requests: PrivacyRequestService,
    /// The teams to choose from.
    pub schedule: Option<ScheduleService>,
    /// Looking up users.
    pub users: UserService,
}

/// The services behind lists, figures and exports. There may be a second set, which reads a replica of the
/// database.
#[derive(Clone)]
pub struct Reads {
    /// The figures of the dashboard.
    pub activity: ActivityService,
    /// The users that filters select, and saved segments.
    pub audience: AudienceService,
    /// What is known about all users, and the details of one.
    pub directory: DirectoryService,
    /// The daily counts of saved segments.
    pub segments: SegmentService,
    /// Exports.
    pub transfer: TransferService,
}

/// The web admin.
#[derive(Clone)]
pub struct Admin(App);

impl Admin {
    /// The web admin under the prefix of the settings and `/admin`.
    ///
    /// The server must add an [`axum::extract::ConnectInfo`] with the peer's address to the extensions
    /// of each request, because failed sign-ins are counted by address.
    ///
    /// `stopping` becomes true when the process should stop. Counts that are sent to browsers end then.
    pub fn new(
        settings: Settings,
        services: Services,
        clock: impl Clock + 'static,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let Services {
            reads: Reads { activity, audience, directory, segments, transfer },
            admins,
            broadcasts,
            deletion,
            labels,
            messenger,
            personal_data,
            preferences,
            privacy_requests,
            schedule,
            users,
        } = services;
        Self(App {
            base: format!("{}/admin", settings.prefix).into(),
            admins,
            audience,
            broadcasts,
            paces: Arc::default(),
            counts: Arc::new(Counts::new()),
            deletion,
            directory,
            labels,
            messenger,
            personal_data,
            preferences,
            privacy_requests,
            schedule,
            segments,
            transfer,
            users,
            activity,
            clock: Arc::new(clock),
            assets: Arc::new(Assets::new()),
            pictures: Arc::new(Semaphore::new(PICTURES_AT_ONCE)),
            exports: Arc::new(Semaphore::new(EXPORTS_AT_ONCE)),
            saves: Arc::default(),
            rate_limiter: Arc::default(),
            settings: Arc::new(settings),
            stopping,
        })
    }

    /// The same web admin, with its limits and what it remembers, whose lists, figures and exports come
    /// from elsewhere.
    #[must_use]
    pub fn reading(&self, reads: Reads) -> Self {
        let Reads { activity, audience, directory, segments, transfer } = reads;
        Self(App { activity, audience, directory, segments, transfer, ..self.0.clone() })
    }

    /// A router with every page.
    pub fn router(&self) -> Router {
        routes::router(self.0.clone())
    }
}
