//! A web admin for one test, and what a browser would do with it.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri},
    response::Response,
};
use futures_util::stream;
use rollcall_admin::{Admin, Reads, Services, Settings};
use rollcall_domain::{
    BROADCAST_LASTS, Broadcast, BroadcastContent, BroadcastPlan, Clock, DeliveryTimes, Experiment,
    OnUnknown, Profile, Role, TelegramId,
};
use rollcall_repository_diesel::{
    Database, DieselAdminRepository, DieselPreferencesRepository, DieselScheduleRepository,
    DieselUserRepository,
};
use rollcall_service::{
    ActivityService, AdminService, AudienceService, BroadcastService, DeletionService,
    DirectoryService, LabelService, PersonalDataService, PreferencesService, PrivacyRequestService,
    ScheduleService, SegmentService, TransferService, UserService,
};
use rollcall_testkit::{Authenticator, TestClock, ThrowAwayDatabase};
use tokio::sync::watch;
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correct-horse";
/// What the forms of the browser carry.
pub(crate) const FORM_TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// Who may sign in by Telegram.
pub(crate) const OWNER: i64 = 7;
pub(crate) const ADA: i64 = 1815;

pub(crate) struct Site {
    router: Router,
    pub(crate) admins: AdminService,
    pub(crate) audience: AudienceService,
    pub(crate) broadcasts: BroadcastService,
    directory: DirectoryService,
    pub(crate) labels: LabelService,
    pub(crate) preferences: PreferencesService,
    pub(crate) schedule: ScheduleService,
    pub(crate) segments: SegmentService,
    pub(crate) users: UserService,
    pub(crate) clock: Arc<TestClock>,
    /// How many clients asked so far, where each request is another one's.
    clients: Option<AtomicU32>,
    _database: ThrowAwayDatabase,
}

impl Site {
    /// A site at the root of a host, with accounts named for their roles and so many people.
    pub(crate) async fn with_people(people: i64) -> Self {
        let site = Self::at("", None).await;
        site.make_accounts().await;
        for n in 1..=people {
            let profile = Profile::new(id(n), &format!("Person {n}"));
            site.users.get_or_create_user(&profile).await.unwrap();
            site.clock.advance(1);
        }
        site.index_names().await;
        site
    }

    /// Takes new names into the search, as the bot does by and by.
    pub(crate) async fn index_names(&self) {
        while self.directory.index_names().await.unwrap() {}
    }

    /// A site without users.
    pub(crate) async fn at(prefix: &str, origin: Option<&str>) -> Self {
        Self::on(ThrowAwayDatabase::sqlite(), prefix, origin).await
    }

    /// A site with accounts named for their roles, where every admin must have a second factor.
    pub(crate) async fn requiring_second_factor() -> Self {
        let site = Self::new(ThrowAwayDatabase::sqlite(), Settings::default(), true, true).await;
        site.make_accounts().await;
        site
    }

    /// A site on an empty database.
    pub(crate) async fn on(
        throw_away: ThrowAwayDatabase,
        prefix: &str,
        origin: Option<&str>,
    ) -> Self {
        let settings = Settings {
            prefix: prefix.to_owned(),
            origin: origin.map(str::to_owned),
            trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
            ..Settings::default()
        };
        Self::with(throw_away, settings).await
    }

    /// A site with these settings on an empty database.
    pub(crate) async fn with(throw_away: ThrowAwayDatabase, settings: Settings) -> Self {
        Self::new(throw_away, settings, false, true).await
    }

    /// A site with accounts and a user, of a bot without the schedule.
    pub(crate) async fn without_schedule() -> Self {
        let site = Self::new(ThrowAwayDatabase::sqlite(), Settings::default(), false, false).await;
        site.make_accounts().await;
        site.users.get_or_create_user(&Profile::new(id(1), "Ada")).await.unwrap();
        site
    }

    async fn new(
        throw_away: ThrowAwayDatabase,
        settings: Settings,
        requires_second_factor: bool,
        has_schedule: bool,
    ) -> Self {
        let database = Database::open(throw_away.url().parse().unwrap()).await.unwrap();
        database.migrate().await.unwrap();
        let clock = Arc::new(TestClock::at("2026-11-23T12:00:00Z"));
        let storage = DieselUserRepository::new(database.clone());
        let users = UserService::new(storage.clone(), clock.clone());
        let directory = DirectoryService::new(storage.clone(), clock.clone());
        let activity = ActivityService::new(storage.clone(), clock.clone());
        let labels = LabelService::new(storage.clone(), clock.clone());
        let audience = AudienceService::new(storage.clone(), clock.clone());
        let broadcasts = BroadcastService::new(storage.clone(), clock.clone());
        let segments = SegmentService::new(storage.clone(), clock.clone());
        let personal_data = PersonalDataService::new(storage.clone(), clock.clone());
        let requests = PrivacyRequestService::new(storage.clone(), clock.clone());
        let transfer = TransferService::new(storage.clone(), clock.clone());
        let preferences =
            PreferencesService::new(DieselPreferencesRepository::new(database.clone()));
        let schedule =
            ScheduleService::new(DieselScheduleRepository::new(database.clone()), clock.clone());
        let owners = [id(OWNER)].into();
        let admins = AdminService::new(DieselAdminRepository::new(database), clock.clone(), owners)
            .requiring_second_factor(requires_second_factor);
        let reads = Reads {
            activity,
            audience: audience.clone(),
            directory: directory.clone(),
            segments: segments.clone(),
            transfer,
        };
        let services = Services {
            reads,
            admins: admins.clone(),
            broadcasts: broadcasts.clone(),
            deletion: DeletionService::new(
                storage.clone(),
                admins.clone(),
                requests.clone(),
                clock.clone(),
            ),
            labels: labels.clone(),
            messenger: None,
            personal_data,
            preferences: preferences.clone(),
            privacy_requests: requests.clone(),
            schedule: has_schedule.then(|| schedule.clone()),
            users: users.clone(),
        };
        let admin = Admin::new(settings, services, clock.clone(), watch::channel(false).1);
        let router = admin.router();
        Self {
            router,
            admins,
            audience,
            broadcasts,
            directory,
            labels,
            preferences,
            schedule,
            segments,
            users,
            clock,
            clients: None,
            _database: throw_away,
        }
    }

    /// The same site, whose requests come from as many addresses, so that no limit on one of them is
    /// reached.
    pub(crate) fn asked_from_everywhere(self) -> Self {
        Self { clients: Some(AtomicU32::new(0)), ..self }
    }

    /// Saves a filter as a segment.
    pub(crate) async fn save_segment(&self, name: &str, filter: &str) {
        let (name, filter) = (name.parse().unwrap(), filter.parse().unwrap());
        self.audience.save_segment(name, filter, chrono_tz::Tz::UTC, "").await.unwrap();
    }

    /// Creates a draft of a broadcast to all users that a filter selects.
    pub(crate) async fn make_broadcast(&self, name: &str, filter: &str, text: &str) -> Broadcast {
        let texts = [(String::new(), text.to_owned())].into();
        let plan = BroadcastPlan {
            name: name.to_owned(),
            category: "news".parse().unwrap(),
            filter: filter.parse().unwrap(),
            zone: chrono_tz::Tz::UTC,
            content: BroadcastContent::Text { texts, buttons: String::new(), picture: None },
            rate: None,
            is_paid: false,
            on_unknown: OnUnknown::Skip,
            starts_at: None,
            lasts: BROADCAST_LASTS,
            times: DeliveryTimes::default(),
            has_opt_out_button: false,
            experiment: Experiment::default(),
        };
        self.broadcasts.create(&plan, None).await.unwrap()
    }

    /// Does the changes of labels that wait, as the bot does in the background.
    pub(crate) async fn change_labels(&self) {
        while let Some(change) = self.labels.take_change().await.unwrap() {
            self.labels.work_on(change).await.unwrap();
        }
    }

    pub(crate) async fn make_accounts(&self) {
        for role in Role::ALL {
            let name = role.name().parse().unwrap();
            self.admins.create_account(&name, PASSWORD, role, None).await.unwrap();
        }
    }

    /// The token of a new session of an admin with this role.
    pub(crate) async fn sign_in(&self, role: Role) -> String {
        let form = format!("name={role}&password={PASSWORD}");
        let answer = self.request(&Method::POST, "/admin/sign-in", None, &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer.token()
    }

    /// The token of a new session of an admin who signed in by a link from the bot.
    pub(crate) async fn sign_in_by_link(&self) -> String {
        let link = self.admins.create_link(id(OWNER)).await.unwrap().unwrap();
        let path = format!("/admin/link/{}", link.as_str());
        self.request(&Method::POST, &path, None, "").await.token()
    }

    /// Turns the second factor on; answers the app that shows its codes, and the recovery codes.
    pub(crate) async fn turn_factor_on(&self, token: &str) -> (Authenticator, Vec<String>) {
        let path = "/admin/account/second-factor";
        let page = self.get(path, token).await;
        let secret = page.body.split(r#"<code class="secret">"#).nth(1).unwrap();
        let app = Authenticator::new(secret.split('<').next().unwrap());
        let form = format!("code={}", self.code(&app));
        let codes = self.request(&Method::POST, path, Some(token), &form).await;
        assert_eq!(codes.status, StatusCode::OK, "{}", codes.body);
        let codes = codes.body.split("<li><code>").skip(1);
        (app, codes.map(|code| code.split('<').next().unwrap().to_owned()).collect())
    }

    /// What an authenticator app shows now.
    pub(crate) fn code(&self, app: &Authenticator) -> String {
        app.code(self.clock.now())
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        self.request(&Method::POST, path, Some(token), body).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.request(&Method::GET, path, Some(token), "").await
    }

    pub(crate) async fn request(
        &self,
        method: &Method,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> Answer {
        self.request_with(method, path, token, body, &[]).await
    }

    /// Like [`Site::request_with`], with no cookie but those among the headers.
    pub(crate) async fn bare(
        &self,
        method: &Method,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        answer(self.response(method, path, body, headers).await).await
    }

    /// The same answer while its body is still on the way.
    pub(crate) async fn response(
        &self,
        method: &Method,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(path.split('#').next().unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost:8080");
        }
        if let Some(client) = self.client() {
            request = request.header("x-forwarded-for", client);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// A request of any bytes, with these cookies and no others.
    pub(crate) async fn raw(
        &self,
        method: &Method,
        uri: &Uri,
        cookie: HeaderValue,
        body: Vec<u8>,
    ) -> Answer {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.raw_with(method, uri, cookie, body, &form).await
    }

    /// Posts a form with a file.
    pub(crate) async fn upload(
        &self,
        path: &str,
        token: &str,
        fields: &[(&str, &str)],
        file: &[u8],
        headers: &[(&str, &str)],
    ) -> Answer {
        let begin =
            |name: &str| format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"");
        let field = |(name, value): &(&str, &str)| format!("{}\r\n\r\n{value}\r\n", begin(name));
        let fields: String = fields.iter().map(field).collect();
        let file_name = "; filename=\"IMG 1.jpg\"\r\nContent-Type: application/octet-stream";
        let start = format!("{fields}{}{file_name}\r\n\r\n", begin("file"));
        let body = [start.as_bytes(), file, b"\r\n--cut--\r\n"].concat();
        let cookie = format!("rollcall_form={FORM_TOKEN}; rollcall_session={token}");
        let kind = [("content-type", "multipart/form-data; boundary=cut")];
        let headers = [&kind, headers].concat();
        let cookie = cookie.parse().unwrap();
        self.raw_with(&Method::POST, &path.parse().unwrap(), cookie, body, &headers).await
    }

    async fn raw_with(
        &self,
        method: &Method,
        uri: &Uri,
        cookie: HeaderValue,
        body: Vec<u8>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "localhost:8080")
            .header("cookie", cookie)
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        if let Some(client) = self.client() {
            request = request.header("x-forwarded-for", client);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        answer(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// The address of the next client, where each request is another one's.
    fn client(&self) -> Option<String> {
        let clients = self.clients.as_ref()?;
        let client = Ipv4Addr::from_bits(0x0a00_0000 + clients.fetch_add(1, Relaxed));
        Some(client.to_string())
    }

    /// Begins to post a form, and sends no more of it.
    pub(crate) async fn answer_to_silence(&self, path: &str) -> Answer {
        let silence = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("host", "localhost:8080")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(silence)
            .unwrap();
        answer(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn request_with(
        &self,
        method: &Method,
        path: &str,
        token: Option<&str>,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let session = token.map(|token| format!("; rollcall_session={token}")).unwrap_or_default();
        let cookie = format!("rollcall_form={FORM_TOKEN}{session}");
        self.bare(method, path, body, &[&[("cookie", cookie.as_str())], headers].concat()).await
    }
}

async fn answer(response: Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let bytes = body.len();
    Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned(), bytes }
}

/// What a browser gets.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: String,
    /// How many bytes came, compressed if they were.
    pub(crate) bytes: usize,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    pub(crate) fn location(&self) -> String {
        self.header("location").unwrap_or_default()
    }

    /// The cookies that are set.
    pub(crate) fn cookies(&self) -> Vec<String> {
        let cookies = self.headers.get_all("set-cookie").iter();
        cookies.map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    /// The token in the first cookie that is set.
    pub(crate) fn token(&self) -> String {
        let cookie = self.header("set-cookie").unwrap();
        cookie.split_once('=').unwrap().1.split(';').next().unwrap().to_owned()
    }

    /// The hidden fields of the page's own form, as a browser sends them.
    pub(crate) fn hidden(&self) -> String {
        let main = self.main();
        let fields = main.split(r#"<input type="hidden" name=""#).skip(1);
        let pairs = fields.map(|field| {
            let (name, rest) = field.split_once(r#"" value=""#).unwrap();
            format!("{name}={}", rest.split('"').next().unwrap())
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The hidden fields of the form that is sent to `action`, as a browser sends them.
    pub(crate) fn form(&self, action: &str) -> Vec<(String, String)> {
        let begin = format!(r#"<form method="post" action="{action}""#);
        let form = self.body.split(&begin).nth(1).unwrap();
        let fields = form.split("</form>").next().unwrap();
        let fields = fields.split(r#"<input type="hidden" name=""#).skip(1);
        let pairs = fields.map(|field| {
            let (name, rest) = field.split_once('"').unwrap();
            let value = rest.split(r#"value=""#).nth(1).unwrap().split('"').next().unwrap();
            (unescaped(name), unescaped(value))
        });
        pairs.collect()
    }

    /// Where the links lead.
    pub(crate) fn links(&self) -> Vec<String> {
        let links = self.body.split("href=\"").skip(1);
        links.map(|it| it.split('"').next().unwrap().replace("&#38;", "&")).collect()
    }

    /// Where the link to the next page (`next`), or the one before (`prev`), leads.
    pub(crate) fn link(&self, rel: &str) -> Option<String> {
        let link = self.body.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
        Some(link.split('"').next().unwrap().replace("&#38;", "&"))
    }

    /// What the page is about.
    pub(crate) fn main(&self) -> String {
        let main = self.body.split("<main id=\"main\">").nth(1).unwrap();
        main.split("</main>").next().unwrap().trim().to_owned()
    }
}

/// The names in a list of users.
pub(crate) fn names(page: &Answer) -> Vec<String> {
    let rows = page.body.split("<th scope=\"row\"").skip(1);
    rows.map(|row| row.split("<bdi>").nth(1).unwrap().split("</bdi>").next().unwrap().to_owned())
        .collect()
}

/// Text of a page as a browser reads it.
pub(crate) fn unescaped(text: &str) -> String {
    let escapes = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    escapes
        .iter()
        .fold(text.to_owned(), |text, (escape, character)| text.replace(escape, character))
}

/// Fields as a form's body.
pub(crate) fn encoded(fields: &[(String, String)], more: &[(&str, &str)]) -> String {
    let more = more.iter().map(|(name, value)| (*name, *value));
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    serde_urlencoded::to_string(fields.chain(more).collect::<Vec<_>>()).unwrap()
}

pub(crate) fn id(n: i64) -> TelegramId {
    n.try_into().unwrap()
}
