//! The API under `/api/v1` on each database, and its description.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod schema;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use futures_util::future::join_all;
use rollcall_api::{Reads, Services};
use rollcall_domain::{Admin, AuditAction, Profile, SystemClock};
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::{
    Database, DieselAdminRepository, DieselBotRepository, DieselUserRepository,
};
use rollcall_service::{
    ActivityService, AdminService, AudienceService, AuditFilter, BroadcastService,
    DirectoryService, LabelService, SegmentService, UserService,
};
use rollcall_telegram::Intake;
use rollcall_testkit::ThrowAwayDatabase;
use serde_json::{Value, json};
use tower::ServiceExt;

const BOT: i64 = 777;

struct Api {
    router: Router,
    admins: AdminService,
    audience: AudienceService,
    users: UserService,
    description: Value,
    key: String,
    _database: ThrowAwayDatabase,
}

impl Api {
    /// An API with users 1 to 5 and a key that may do anything.
    async fn start(database: ThrowAwayDatabase) -> Self {
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        storage.migrate().await.unwrap();
        let bots = DieselBotRepository::new(storage.clone());
        let now = rollcall_domain::Clock::now(&SystemClock);
        bots.reserve(BOT.try_into().unwrap(), now).await.unwrap();
        let users = || DieselUserRepository::new(storage.clone());
        let admins = DieselAdminRepository::new(storage.clone());
        let service = UserService::new(users(), SystemClock);
        for (n, name) in (1..=5).zip(["Ada", "Bob", "Cyd", "Dan", "Eve"]) {
            let profile = Profile::new(n.try_into().unwrap(), name).language_code("de");
            service.get_or_create_user(&profile).await.unwrap();
        }
        let services = Services {
            reads: Reads {
                activity: ActivityService::new(users(), SystemClock),
                audience: AudienceService::new(users(), SystemClock),
                directory: DirectoryService::new(users(), SystemClock),
                segments: SegmentService::new(users(), SystemClock),
            },
            admins: AdminService::new(admins, SystemClock, [].into()),
            broadcasts: BroadcastService::new(users(), SystemClock),
            intake: Intake::new(service.clone(), SystemClock, &["start"], |_| None),
            labels: LabelService::new(users(), SystemClock),
            users: service,
        };
        while services.reads.directory.index_names().await.unwrap() {}
        let (admins, audience) = (services.admins.clone(), services.reads.audience.clone());
        let users = services.users.clone();
        let mut api = Self {
            router: rollcall_api::Api::new(services).router("/under"),
            admins,
            audience,
            users,
            description: Value::Null,
            key: String::new(),
            _database: database,
        };
        api.key = api.create_key("all", "ingest,read,write").await;
        api.description = api.ask("get", "/api/v1/openapi.json", None).await.1;
        api
    }

    async fn create_key(&self, name: &str, scopes: &str) -> String {
        let (name, scopes) = (name.parse().unwrap(), scopes.parse().unwrap());
        self.admins.create_api_key(&name, scopes, None).await.unwrap().0.as_str().to_owned()
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.ask_with(&self.key, method, path, body).await
    }

    async fn ask_with(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let request = Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(format!("/under{path}"))
            .header("Authorization", format!("Bearer {key}"));
        let body = body.map_or_else(Body::empty, |body| body.to_string().into());
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// Asks, and checks that the response is one of those of the description.
    async fn described(
        &self,
        method: &str,
        template: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let (status, answer) = self.ask(method, path, body).await;
        let operation = &self.description["paths"][template][method];
        let mut response = &operation["responses"][status.to_string()];
        if let Some(reference) = response["$ref"].as_str() {
            response = schema::resolve(&self.description, reference);
        }
        let wanted = &response["content"]["application/json"]["schema"];
        assert!(wanted.is_object(), "{method} {path}: {status} is not described: {answer}");
        let faults = schema::faults(&self.description, wanted, &answer, "");
        assert!(faults.is_empty(), "{method} {path}: {faults:?} in {answer}");
        if let Some(body) = body.filter(|_| status < 300) {
            let wanted = &operation["requestBody"]["content"]["application/json"]["schema"];
            let faults = schema::faults(&self.description, wanted, body, "");
            assert!(faults.is_empty(), "{method} {path}: {faults:?} in {body}");
        }
        (status, answer)
    }

    async fn get(&self, template: &str, path: &str) -> (u16, Value) {
        self.described("get", template, path, None).await
    }
}

fn ids(page: &Value) -> Vec<i64> {
    let users = page["users"].as_array().unwrap().iter();
    users.map(|user| user["telegram_id"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_filtered_paged_and_tagged() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let api = Api::start(database).await;
        const USERS: &str = "/api/v1/users";
        const TAG: &str = "/api/v1/users/{id}/tags/{tag}";
        let tag = async |method, id: i64, tag: &str| {
            let path = format!("{USERS}/{id}/tags/{tag}");
            let (status, answer) = api.described(method, TAG, &path, None).await;
            (status, answer["changed"].as_bool())
        };
        assert_eq!(tag("put", 2, "vip").await, (200, Some(true)));
        assert_eq!(tag("put", 2, "vip").await, (200, Some(false)));
        assert_eq!(tag("put", 3, "vip").await, (200, Some(true)));
        assert_eq!(tag("delete", 3, "vip").await, (200, Some(true)));
        assert_eq!(tag("delete", 3, "unknown").await, (404, None));
        assert_eq!(tag("put", 99, "vip").await, (404, None));
        assert_eq!(tag("put", 2, "VIP").await, (400, None));

        let (status, ada) = api.get("/api/v1/users/{id}", "/api/v1/users/2").await;
        assert_eq!(
            (status, &ada["first_name"], &ada["tags"]),
            (200, &json!("Bob"), &json!(["vip"]))
        );
        assert_eq!(api.get("/api/v1/users/{id}", "/api/v1/users/99").await.0, 404);
        assert_eq!(api.get("/api/v1/users/{id}", "/api/v1/users/bob").await.0, 400);

        let (_, page) = api.get(USERS, "/api/v1/users?filter=tag:vip").await;
        assert_eq!((ids(&page), &page["total"]), (vec![2], &json!(1)));
        let (mut path, mut seen) = (format!("{USERS}?sort=id&limit=2"), Vec::new());
        loop {
            let (status, page) = api.get(USERS, &path).await;
            assert_eq!((status, &page["total"]), (200, &json!(5)));
            seen.extend(ids(&page));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{USERS}?sort=id&limit=2&after={next}&bot_id={BOT}");
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);

        let (status, error) = api.get(USERS, "/api/v1/users?filter=lang:de%20langg:de").await;
        assert_eq!((status, &error["at"]), (400, &json!(8)));
        assert!(error["error"].as_str().unwrap().contains("did you mean 'lang'?"), "{error}");
        for wrong in [
            "filtr=lang:de",
            "limit=0",
            "limit=1001",
            "limit=x",
            "sort=name",
            "after=2",
            "zone=Mars",
            "filter=tag:unknown",
            "filter=segment:unknown",
            "filter=lang:de&filter=lang:en",
        ] {
            let (status, error) = api.get(USERS, &format!("{USERS}?{wrong}")).await;
            assert_eq!(status, 400, "{wrong}: {error}");
        }
        let added = AuditFilter::all().action(AuditAction::AddedLabel);
        let log = api.admins.audit_log(&added, None, 9);
        let by = log.await.unwrap().into_iter().map(|it| it.admin.unwrap().to_string());
        assert_eq!(by.collect::<Vec<_>>(), ["api:all", "api:all"]);
        assert_eq!("api:all".parse(), Ok(Admin::Program("all".parse().unwrap())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_and_segments_are_read() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let api = Api::start(database).await;
        let (_, stats) = api.get("/api/v1/stats", "/api/v1/stats").await;
        assert_eq!((&stats["total_users"], &stats["new_today"]), (&json!(5), &json!(5)));

        let update = json!({ "update_id": 1, "message": {
            "message_id": 1, "date": 1_700_000_000, "text": "hi",
            "from": { "id": 6, "is_bot": false, "first_name": "Fay" },
            "chat": { "id": 6, "type": "private" },
        } });
        let (status, taken) =
            api.described("post", "/ingest", "/ingest?each=1", Some(&update)).await;
        assert_eq!((status, &taken["updates"][0]["created"]), (200, &json!(true)));
        let none = json!([{}]);
        assert_eq!(api.described("post", "/ingest", "/ingest", Some(&none)).await.0, 400);
        let (_, stats) = api.get("/api/v1/stats", "/api/v1/stats").await;
        assert_eq!(stats["total_users"], 6);

        let (name, filter) = ("german".parse().unwrap(), "lang:de".parse().unwrap());
        api.audience.save_segment(name, filter, chrono_tz::Tz::UTC, "Speak German").await.unwrap();
        let (_, segments) = api.get("/api/v1/segments", "/api/v1/segments").await;
        assert_eq!(segments["segments"][0]["filter"], "lang:de");
        let template = "/api/v1/segments/{name}/users";
        let (_, page) = api.get(template, "/api/v1/segments/german/users?sort=id").await;
        assert_eq!(ids(&page), [1, 2, 3, 4, 5]);
        let (_, page) = api.get(template, "/api/v1/segments/german/users?filter=name:ada").await;
        assert_eq!(ids(&page), [1]);
        assert_eq!(api.get(template, "/api/v1/segments/french/users").await.0, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_user_is_stored_again_once_they_consent() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let api = Api::start(database).await;
        let ingest = async |update_id: i64| {
            let update = json!({ "update_id": update_id, "message": {
                "message_id": 1, "date": 1_700_000_000, "text": "hi",
                "from": { "id": 1, "is_bot": false, "first_name": "Ada" },
                "chat": { "id": 1, "type": "private" },
            } });
            let taken = api.described("post", "/ingest", "/ingest?each=1", Some(&update)).await.1;
            let one = &taken["updates"][0];
            (one["outcome"].clone(), one["created"].clone(), taken["suppressed"].clone())
        };
        let consent = async |path: &str, key: &str| {
            let path = format!("/api/v1/users/{path}/consent");
            let (status, answer) = api.ask_with(key, "post", &path, None).await;
            (status, answer["was_erased"].as_bool())
        };
        api.users.delete_users(&[1.try_into().unwrap()]).await.unwrap();
        for update_id in [1, 1, 2] {
            let suppressed = (json!("suppressed"), json!(false), json!(1));
            assert_eq!(ingest(update_id).await, suppressed);
        }
        assert_eq!(api.get("/api/v1/users/{id}", "/api/v1/users/1").await.0, 404);

        let reader = api.create_key("reader", "read").await;
        assert_eq!(consent("1", &reader).await.0, 403);
        assert_eq!(consent("ada", &api.key).await.0, 400);
        // Somebody who was never erased.
        assert_eq!(consent("99", &api.key).await, (200, Some(false)));
        assert_eq!(ingest(3).await.0, json!("suppressed"));

        let template = "/api/v1/users/{id}/consent";
        let agreed = api.described("post", template, "/api/v1/users/1/consent", None).await;
        assert_eq!(agreed, (200, json!({ "telegram_id": 1, "was_erased": true })));
        assert_eq!(consent("1", &api.key).await, (200, Some(false)));
        assert_eq!(ingest(4).await, (json!("registered"), json!(true), json!(0)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broadcasts_are_created_started_and_ended() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let api = Api::start(database).await;
        const ALL: &str = "/api/v1/broadcasts";
        let create = async |draft: Value| api.described("post", ALL, ALL, Some(&draft)).await;
        let draft = json!({
            "name": "Opening", "filter": "lang:de", "text": "<b>Open!</b>",
            "texts": { "de": "<b>Auf!</b>" }, "buttons": ["Shop = https://example.org"], "rate": 5,
        });
        let (status, created) = create(draft.clone()).await;
        assert_eq!((status, &created["state"]), (201, &json!("draft")));
        assert_eq!(created["created_by"], "api:all");
        assert_eq!(created["content"]["buttons"], json!(["Shop = https://example.org"]));
        let id = created["id"].as_i64().unwrap();

        let change = async |change: &str| {
            let template = format!("{ALL}/{{id}}/{change}");
            let path = format!("{ALL}/{id}/{change}");
            let (status, answer) = api.described("post", &template, &path, None).await;
            (status, answer["state"].as_str().unwrap_or("").to_owned())
        };
        let audience = async |number: i64| {
            let path = format!("{ALL}/{number}/audience");
            api.get("/api/v1/broadcasts/{id}/audience", &path).await
        };
        assert_eq!(audience(id).await.1["messages"], 0);
        assert_eq!(audience(99).await.0, 404);
        // The bot cannot write to any of these users, who never wrote to it in private.
        assert_eq!(change("start").await, (409, String::new()));
        assert_eq!(change("pause").await, (409, String::new()));
        let update = json!({ "update_id": 1, "message": {
            "message_id": 1, "date": 1_700_000_000, "text": "/start",
            "from": { "id": 6, "is_bot": false, "first_name": "Fay", "language_code": "de" },
            "chat": { "id": 6, "type": "private" },
        } });
        assert_eq!(api.ask("post", "/ingest", Some(&update)).await.0, 200);
        let (_, audience) = audience(id).await;
        assert_eq!((&audience["users"], &audience["messages"]), (&json!(6), &json!(1)));
        assert_eq!(audience["left_out"]["unreachable"], 5);
        assert_eq!(change("start").await, (200, "preparing".to_owned()));
        assert_eq!(change("pause").await, (200, "paused".to_owned()));
        assert_eq!(change("resume").await, (200, "preparing".to_owned()));
        assert_eq!(change("cancel").await, (200, "cancelled".to_owned()));
        assert_eq!(change("start").await, (409, String::new()));

        let (_, one) = api.get("/api/v1/broadcasts/{id}", &format!("{ALL}/{id}")).await;
        assert_eq!(one["state"], "cancelled");
        assert_eq!(api.get("/api/v1/broadcasts/{id}", &format!("{ALL}/99")).await.0, 404);
        let later_draft = json!({
            "name": "Later", "filter": "", "text": "Hi", "starts_at": "2100-01-01T00:00:00Z",
        });
        let (_, later) = create(later_draft.clone()).await;
        let path = format!("{ALL}/{}/start", later["id"]);
        let (_, scheduled) =
            api.described("post", "/api/v1/broadcasts/{id}/start", &path, None).await;
        assert_eq!(scheduled["state"], "scheduled");
        let local = json!({
            "name": "Evening", "filter": "", "text": "Hi", "zone": "Europe/Berlin",
            "local_time": "2100-01-01T18:00:00", "quiet_hours": "22:00-08:00",
            "lasts_seconds": 7200, "picture_id": "AgACAgIAAxkBAAIB-x7_Q",
        });
        let (status, evening) = create(local.clone()).await;
        assert_eq!((status, &evening["starts_at"]), (201, &json!("2100-01-01T04:00:00.000000Z")));
        for field in ["local_time", "quiet_hours", "lasts_seconds"] {
            assert_eq!(evening[field], local[field], "{field}");
        }
        assert_eq!(evening["content"]["picture_id"], local["picture_id"]);
        let path = format!("{ALL}/{}/cancel", evening["id"]);
        api.described("post", "/api/v1/broadcasts/{id}/cancel", &path, None).await;
        let (_, later) = create(later_draft).await;
        let (_, page) = api.get(ALL, &format!("{ALL}?limit=1")).await;
        assert_eq!(
            (&page["broadcasts"][0]["name"], &page["next"]),
            (&json!("Later"), &later["id"])
        );

        let wrong = |field: &str, value: Value| {
            let mut wrong = draft.clone();
            wrong[field] = value;
            wrong
        };
        for draft in [
            wrong("name", json!("")),
            wrong("filter", json!("langg:de")),
            wrong("text", json!("<b>")),
            wrong("texts", json!({ "": "x" })),
            wrong("buttons", json!(["no address"])),
            wrong("category", json!("unknown")),
            wrong("rate", json!(0)),
            wrong("starts_at", json!("soon")),
            wrong("starts_at", json!("2001-01-01T00:00:00Z")),
            wrong("picture_id", json!("https://example.org/x.jpg")),
            wrong("local_time", json!("18:00")),
            wrong("local_time", json!("2001-01-01T00:00:00")),
            wrong("quiet_hours", json!("22")),
            wrong("lasts_seconds", json!(0)),
            wrong("lasts_seconds", json!(2_592_001)),
            wrong("zone", json!("Mars")),
            wrong("typo", json!(1)),
            json!([]),
        ] {
            let (status, error) = create(draft.clone()).await;
            assert_eq!(status, 400, "{draft}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_many_wrong_keys_waits_and_its_valid_key_still_works() {
    let api = Api::start(ThrowAwayDatabase::sqlite()).await;
    let wrong = (0..25).map(|_| api.ask_with("rollcall_wrong", "get", "/api/v1/stats", None));
    let answers = join_all(wrong).await;
    let number = |wanted| answers.iter().filter(|(status, _)| *status == wanted).count();
    assert_eq!((number(401), number(429)), (20, 5), "{answers:?}");
    assert_eq!(api.ask("get", "/api/v1/stats", None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_only_what_its_scopes_say() {
    let api = Api::start(ThrowAwayDatabase::sqlite()).await;
    let paths = api.description["paths"].as_object().unwrap();
    for scope in ["ingest", "read", "write"] {
        let key = api.create_key(scope, scope).await;
        for (template, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                let needed = operation["security"][0]["key"][0].as_str();
                let path =
                    template.replace("{id}", "99").replace("{tag}", "vip").replace("{name}", "x");
                let (status, answer) = api.ask_with(&key, method, &path, None).await;
                let is_allowed = needed.is_none_or(|needed| needed == scope);
                assert_eq!(status != 403, is_allowed, "{scope}: {method} {path}: {answer}");
                let other = format!("{path}?bot_id={}", BOT + 1);
                let (status, answer) = api.ask_with(&key, method, &other, None).await;
                assert_eq!(status == 403, needed.is_some(), "{method} {path}: {answer}");
            }
        }
    }
    for path in ["/api", "/api/", "/api/v1", "/api/v2/users", "/ingest/x"] {
        let (status, answer) = api.ask("get", path, None).await;
        assert!(status == 404 && answer["error"].is_string(), "{path}: {status} {answer}");
    }
    assert_eq!(api.ask("delete", "/api/v1/users", None).await.0, 405);
}
