//! The web admin's place on the server.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::any,
};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use rollcall_admin::{Admin, Services};
use rollcall_domain::SystemClock;
use rollcall_repository_diesel::{
    Database, DieselPreferencesRepository, DieselScheduleRepository, DieselUserRepository,
};
use rollcall_service::{
    ActivityService, AdminService, DirectoryService, PreferencesService, ScheduleService,
    TransferService, UserService,
};

use crate::settings::HttpSettings;

/// The web admin, once there is a database to show. Cheap to clone.
#[derive(Clone)]
pub(crate) struct WebAdmin {
    url: Option<String>,
    pages: Arc<OnceLock<Router>>,
}

impl WebAdmin {
    /// A web admin that people find at `url`; `None` where nothing is listened on.
    pub(crate) fn new(url: Option<String>) -> Self {
        Self { url, pages: Arc::default() }
    }

    /// Where people find it.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// What is served until then, and from then on.
    pub(crate) fn router(&self, settings: &HttpSettings) -> Router {
        let base = format!("{}/admin", settings.prefix());
        Router::new()
            .route(&base, any(Self::answer))
            .route(&format!("{base}/"), any(Self::answer))
            .route(&format!("{base}/{{*rest}}"), any(Self::answer))
            .with_state(self.clone())
    }

    /// There is a database to show.
    pub(crate) fn open(
        &self,
        settings: &HttpSettings,
        database: Database,
        users: UserService,
        admins: AdminService,
    ) {
        // Nobody opens twice.
        let _first = self.pages.set(pages(settings, database, users, admins));
    }

    async fn answer(State(Self { pages, .. }): State<Self>, request: Request) -> Response {
        match pages.get() {
            Some(pages) => Self::pass_on(pages, request).await,
            None => (StatusCode::SERVICE_UNAVAILABLE, "The bot is starting.\n").into_response(),
        }
    }

    /// Has the pages answer, as if nobody had looked at the path before: its parts are theirs to
    /// name, and what our own routes call them would be counted among theirs.
    async fn pass_on(pages: &Router, mut request: Request) -> Response {
        let peer = request.extensions_mut().remove::<ConnectInfo<SocketAddr>>();
        request.extensions_mut().clear();
        peer.map(|peer| request.extensions_mut().insert(peer));
        match TowerToHyperService::new(pages.clone()).call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// The pages themselves.
pub(crate) fn pages(
    settings: &HttpSettings,
    database: Database,
    users: UserService,
    admins: AdminService,
) -> Router {
    let storage = DieselUserRepository::new(database.clone());
    let services = Services {
        activity: ActivityService::new(storage.clone(), SystemClock),
        admins,
        directory: DirectoryService::new(storage.clone(), SystemClock),
        preferences: PreferencesService::new(DieselPreferencesRepository::new(database.clone())),
        schedule: ScheduleService::new(DieselScheduleRepository::new(database), SystemClock),
        transfer: TransferService::new(storage),
        users,
    };
    let settings = rollcall_admin::Settings {
        prefix: settings.prefix().to_owned(),
        origin: settings.public_url.as_ref().map(|url| url.origin().to_owned()),
        trusted_proxies: settings.trusted_proxies.clone(),
        forwarded_header: settings.forwarded_header,
        allowed_networks: settings.admin_networks.clone(),
    };
    Admin::new(settings, services, SystemClock)
}
