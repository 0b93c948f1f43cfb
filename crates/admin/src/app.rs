//! The state that the handlers share.

use std::sync::Arc;

use axum::extract::FromRef;
use rollcall_domain::Clock;
use rollcall_service::{
    ActivityService, AdminService, AudienceService, BroadcastService, DeletionService,
    DirectoryService, LabelService, Messenger, Paces, PersonalDataService, PreferencesService,
    PrivacyRequestService, ScheduleService, SegmentService, TransferService, UserService,
};
use tokio::sync::{Semaphore, watch};

use crate::{
    audience::Counts, page::Assets, request::RateLimiter, settings::Settings, users::Saves,
};

/// The state that the handlers share. It is cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    /// The base path of all pages, such as `/admin`.
    pub(crate) base: Arc<str>,
    pub(crate) admins: AdminService,
    pub(crate) audience: AudienceService,
    pub(crate) broadcasts: BroadcastService,
    /// How fast broadcasts go on.
    pub(crate) paces: Arc<Paces>,
    /// The counts of users that run.
    pub(crate) counts: Arc<Counts>,
    pub(crate) deletion: DeletionService,
    pub(crate) directory: DirectoryService,
    pub(crate) labels: LabelService,
    /// `None` in a process that is no bot.
    pub(crate) messenger: Option<Arc<dyn Messenger>>,
    pub(crate) personal_data: PersonalDataService,
    pub(crate) preferences: PreferencesService,
    pub(crate) privacy_requests: PrivacyRequestService,
    /// `None` for a bot without the schedule.
    pub(crate) schedule: Option<ScheduleService>,
    pub(crate) segments: SegmentService,
    pub(crate) transfer: TransferService,
    pub(crate) users: UserService,
    pub(crate) activity: ActivityService,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) assets: Arc<Assets>,
    /// A permit for each picture that is being uploaded or shown, because each holds up to 10 MiB while its
    /// browser is slow.
    pub(crate) pictures: Arc<Semaphore>,
    /// A permit for each running export, because each holds some MiB while its browser is slow.
    pub(crate) exports: Arc<Semaphore>,
    /// The saves whose page was not shown yet.
    pub(crate) saves: Arc<Saves>,
    pub(crate) rate_limiter: Arc<RateLimiter>,
    pub(crate) settings: Arc<Settings>,
    /// Becomes true when the process should stop.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl FromRef<App> for Arc<Assets> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.assets)
    }
}
