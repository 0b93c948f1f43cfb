//! The web admin and the API on the HTTP server.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{any, get},
};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use rollcall_admin::Admin;
use rollcall_domain::SystemClock;
use rollcall_service::{AdminService, LabelService, Messenger, UserService};

use crate::{
    api::api, http::Ticket, replica::Readers, services::Services, settings::HttpSettings,
    shutdown::Shutdown,
};

/// The web admin, which opens once the bot has its database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct WebAdmin {
    url: Option<String>,
    pages: Arc<OnceLock<Router>>,
}

impl WebAdmin {
    /// A web admin at `url`; `None` if nothing listens.
    pub(crate) fn new(url: Option<String>) -> Self {
        Self { url, pages: Arc::default() }
    }

    /// Its address for browsers.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Its routes and those of the API, which answer 503 until it is open.
    pub(crate) fn router(&self, settings: &HttpSettings) -> Router {
        let mut router = Router::new();
        for path in below("/admin") {
            router = router.route(&format!("{}{path}", settings.prefix()), any(Self::answer));
        }
        for path in rollcall_api::PATHS.into_iter().flat_map(below) {
            router = router.route(&format!("{}{path}", settings.prefix()), any(Self::answer_api));
        }
        router.with_state(self.clone())
    }

    /// Opens the pages on a database.
    pub(crate) fn open(
        &self,
        settings: &HttpSettings,
        services: &Services,
        has_schedule: bool,
        shared: Shared,
    ) {
        // It is opened once.
        let pages = pages(settings, services, has_schedule, shared);
        let _first = self.pages.set(pages);
    }

    async fn answer(State(Self { pages, .. }): State<Self>, request: Request) -> Response {
        match pages.get() {
            Some(pages) => Self::pass_on(pages, request).await,
            None => (StatusCode::SERVICE_UNAVAILABLE, "The bot is starting.\n").into_response(),
        }
    }

    async fn answer_api(State(Self { pages, .. }): State<Self>, request: Request) -> Response {
        match pages.get() {
            Some(pages) => Self::pass_on(pages, request).await,
            None => rollcall_api::not_ready(),
        }
    }

    /// Passes a request on to the pages without the extensions that our own routes added: their path
    /// parameters would count as parameters of the pages.
    async fn pass_on(pages: &Router, mut request: Request) -> Response {
        let peer = request.extensions_mut().remove::<ConnectInfo<SocketAddr>>();
        let connection = request.extensions_mut().remove::<Arc<Ticket>>();
        request.extensions_mut().clear();
        peer.map(|peer| request.extensions_mut().insert(peer));
        connection.map(|connection| request.extensions_mut().insert(connection));
        match TowerToHyperService::new(pages.clone()).call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// A path, and all paths below it.
fn below(path: &str) -> [String; 3] {
    [path.to_owned(), format!("{path}/"), format!("{path}/{{*rest}}")]
}

/// Redirects from the root of the server, and from the path of `PUBLIC_URL`, to the web admin.
pub(crate) fn front_door(settings: &HttpSettings) -> Router {
    let admin = format!("{}/admin", settings.prefix());
    let webhook = settings.webhook.as_ref().map(|it| it.url.path());
    front_doors(settings.prefix(), webhook).into_iter().fold(Router::new(), |router, path| {
        let admin = admin.clone();
        let redirect = get(async move || Redirect::to(&admin));
        router.route(&path, redirect.fallback(async || StatusCode::NOT_FOUND))
    })
}

/// The paths that lead to the web admin. The webhook keeps its path if it is one of them.
fn front_doors(prefix: &str, webhook: Option<&str>) -> BTreeSet<String> {
    let paths = ["/".to_owned(), prefix.to_owned(), format!("{prefix}/")];
    paths.into_iter().filter(|path| !path.is_empty() && Some(path.as_str()) != webhook).collect()
}

/// What the pages share with the rest of the program.
pub(crate) struct Shared {
    pub(crate) users: UserService,
    pub(crate) admins: AdminService,
    /// The one whose changes this process works on.
    pub(crate) labels: LabelService,
    /// `None` in a process that is no bot.
    pub(crate) messenger: Option<Arc<dyn Messenger>>,
    pub(crate) shutdown: Shutdown,
}

/// The pages, and the API. Without the schedule, the pages show nothing of it.
pub(crate) fn pages(
    settings: &HttpSettings,
    services: &Services,
    has_schedule: bool,
    Shared { users, admins, labels, messenger, shutdown }: Shared,
) -> Router {
    let (api, api_on_replica) =
        api(settings, services, admins.clone(), labels.clone(), users.clone());
    let reads = |services: &Services| rollcall_admin::Reads {
        activity: services.activity(),
        audience: services.audience(),
        directory: services.directory(),
        segments: services.segments(),
        transfer: services.transfer(),
    };
    let on_replica = services.on_replica();
    let admin_services = rollcall_admin::Services {
        reads: reads(services),
        deletion: services.deletion(admins.clone()),
        admins,
        broadcasts: services.broadcasts(),
        labels,
        messenger,
        personal_data: services.personal_data(),
        preferences: services.preferences(),
        privacy_requests: services.privacy_requests(),
        schedule: has_schedule.then(|| services.schedule()),
        users,
    };
    let admin_settings = rollcall_admin::Settings {
        prefix: settings.prefix().to_owned(),
        origin: settings.public_url.as_ref().map(|url| url.origin().to_owned()),
        trusted_proxies: settings.trusted_proxies.clone(),
        forwarded_header: settings.forwarded_header,
        allowed_networks: settings.admin_networks.clone(),
    };
    let admin = Admin::new(admin_settings, admin_services, SystemClock, shutdown.signal());
    let pages = admin.router().merge(api);
    match (on_replica, api_on_replica) {
        (Some(replica), Some(api)) => {
            let on_replica = admin.reading(reads(&replica)).router().merge(api);
            let database = replica.database().clone();
            Readers::new(settings, database, pages, on_replica).router()
        }
        _ => pages,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_and_the_prefix_lead_to_the_web_admin_and_the_webhook_keeps_its_path() {
        let doors = |prefix, webhook| front_doors(prefix, webhook).into_iter().collect::<Vec<_>>();
        assert_eq!(doors("", None), ["/"]);
        assert_eq!(doors("/a", Some("/hook")), ["/", "/a", "/a/"]);
        assert_eq!(doors("/a", Some("/a")), ["/", "/a/"]);
        assert!(doors("", Some("/")).is_empty());
    }
}
