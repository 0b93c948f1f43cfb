use std::net::SocketAddr;

use axum::{
    Router,
    extract::{ConnectInfo, OriginalUri, Request},
};
use rollcall_admin::{Admin, Reads, Services, Settings};
use rollcall_domain::{AdminName, Role, SystemClock};
use rollcall_repository_diesel::{
    DieselAdminRepository, DieselPreferencesRepository, DieselUserRepository,
};
use rollcall_service::{
    AccountError, ActivityService, AdminService, BroadcastService, DeletionService,
    DirectoryService, PersonalDataService, PreferencesService, PrivacyRequestService,
    SegmentService, TransferService, forget_sessions,
};
use tower::ServiceExt;

use crate::{error::Error, rollcall::Rollcall};

/// How the web admin is reached.
#[derive(Clone, Debug, Default)]
pub struct AdminOptions {
    path: String,
    origin: Option<String>,
}

impl AdminOptions {
    /// A web admin at `/admin` of the host program.
    pub fn new() -> Self {
        Self::default()
    }

    /// The path at which the router is nested, such as `/rollcall` for an admin at `/rollcall/admin`. The
    /// links of the pages begin with it.
    #[must_use]
    pub fn nested_at(mut self, path: &str) -> Self {
        let path = path.trim_matches('/');
        self.path = if path.is_empty() { String::new() } else { format!("/{path}") };
        self
    }

    /// The origin that browsers see, such as `https://bot.example.org`. Without it, the pages are served
    /// at `localhost` and at IP addresses only, and cookies do not require HTTPS.
    #[must_use]
    pub fn public_origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.trim_end_matches('/').to_owned());
        self
    }
}

impl Rollcall {
    /// The web admin, to nest into the router of the host program. Nest it at the path of the options, and
    /// serve the program with the peers' addresses, by which failed sign-ins are counted:
    ///
    /// ```no_run
    /// # use std::net::SocketAddr;
    /// # use axum::Router;
    /// # async fn serve(rollcall: rollcall::Rollcall) -> Result<(), Box<dyn std::error::Error>> {
    /// use rollcall::AdminOptions;
    ///
    /// let admin = rollcall.admin_router(AdminOptions::new().nested_at("/rollcall"))?;
    /// let app = Router::new().nest("/rollcall", admin);
    ///
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    /// axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Pages that need a connection to Telegram, such as the test message of a broadcast, are not there.
    /// Expired sessions are deleted in the background as long as this `Rollcall` is open.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn admin_router(&self, options: AdminOptions) -> Result<Router, Error> {
        let inner = self.open_inner()?;
        let admins = self.admins()?;
        let storage = || DieselUserRepository::new(inner.database.clone());
        let requests = PrivacyRequestService::new(storage(), SystemClock);
        let services = Services {
            reads: Reads {
                activity: ActivityService::new(storage(), SystemClock),
                audience: inner.audience.clone(),
                directory: DirectoryService::new(storage(), SystemClock),
                segments: SegmentService::new(storage(), SystemClock),
                transfer: TransferService::new(storage(), SystemClock),
            },
            admins: admins.clone(),
            broadcasts: BroadcastService::new(storage(), SystemClock),
            deletion: DeletionService::new(
                storage(),
                admins.clone(),
                requests.clone(),
                SystemClock,
            ),
            labels: inner.labels.clone(),
            messenger: None,
            personal_data: PersonalDataService::new(storage(), SystemClock),
            preferences: PreferencesService::new(DieselPreferencesRepository::new(
                inner.database.clone(),
            )),
            privacy_requests: requests,
            schedule: None,
            users: inner.users.clone(),
        };
        inner.spawn(async move { match forget_sessions(admins).await {} });
        let AdminOptions { path, origin } = options;
        let is_nested = !path.is_empty();
        let settings = Settings { prefix: path, origin, ..Settings::default() };
        let admin = Admin::new(settings, services, SystemClock, inner.stopping.subscribe());
        let pages = admin.router();
        Ok(if is_nested { with_full_paths(pages) } else { pages })
    }

    /// Creates an account for the web admin, with all rights. Returns whether it did: an account of this
    /// name stays as it is.
    ///
    /// # Errors
    /// [`Error::Account`] if the name or password is not acceptable; [`Error::Storage`].
    pub async fn create_admin(&self, name: &str, password: &str) -> Result<bool, Error> {
        let name: AdminName = name.parse().map_err(|error| Error::Account(Box::new(error)))?;
        match self.admins()?.create_account(&name, password, Role::Owner, None).await {
            Ok(()) => Ok(true),
            Err(AccountError::NameIsTaken(_)) => Ok(false),
            Err(AccountError::Storage(error)) => Err(error.into()),
            Err(error) => Err(Error::Account(Box::new(error))),
        }
    }

    fn admins(&self) -> Result<AdminService, Error> {
        let storage = DieselAdminRepository::new(self.open_inner()?.database.clone());
        Ok(AdminService::new(storage, SystemClock, Default::default()))
    }
}

/// Gives the pages the path that the browser asked for: their routes begin with the path at which they
/// are nested, and axum cuts it off. They get no extension but the peer's address, because parameters of
/// the host's path would count as theirs.
fn with_full_paths(pages: Router) -> Router {
    Router::new().fallback(async move |mut request: Request| {
        let original = request.extensions_mut().remove::<OriginalUri>();
        let peer = request.extensions_mut().remove::<ConnectInfo<SocketAddr>>();
        request.extensions_mut().clear();
        if let Some(OriginalUri(uri)) = original {
            *request.uri_mut() = uri;
        }
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        match pages.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    })
}
