//! The web admin, nested into the router of a host program.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, SocketAddr};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, StatusCode, header},
    routing::get,
};
use rollcall::{AdminOptions, Rollcall};
use rollcall_testkit::ThrowAwayDatabase;
use tower::ServiceExt;

const PASSWORD: &str = "correct horse battery staple";

struct Site {
    _database: ThrowAwayDatabase,
    app: Router,
}

impl Site {
    async fn nested() -> Self {
        let database = ThrowAwayDatabase::sqlite();
        let rollcall = Rollcall::open(database.url()).await.unwrap();
        assert!(rollcall.create_admin("ada", PASSWORD).await.unwrap());
        assert!(!rollcall.create_admin("ada", "another password").await.unwrap());
        let admin = rollcall.admin_router(AdminOptions::new().nested_at("/bots/1/")).unwrap();
        let host = Router::new().route("/", get(async || "the host")).nest("/bots/{bot}", admin);
        Self { _database: database, app: host }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 5000));
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(ConnectInfo(peer));
        self.app.clone().oneshot(Request::from_parts(parts, body)).await.unwrap()
    }

    async fn get(&self, path: &str, cookie: &str) -> Response<Body> {
        let request = Request::get(path).header(header::HOST, "localhost:8080");
        self.send(request.header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
    }
}

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn value(response: &Response<Body>, name: header::HeaderName) -> &str {
    response.headers().get(name).unwrap().to_str().unwrap()
}

#[tokio::test]
async fn pages_links_redirects_and_cookies_begin_with_the_path_of_the_host() {
    let site = Site::nested().await;
    let redirect = site.get("/bots/1/admin", "").await;
    assert_eq!(redirect.status(), StatusCode::SEE_OTHER);
    let sign_in = value(&redirect, header::LOCATION).to_owned();
    assert!(sign_in.starts_with("/bots/1/admin/sign-in"), "{sign_in}");

    let form = site.get(&sign_in, "").await;
    assert_eq!(form.status(), StatusCode::OK);
    assert!(value(&form, header::CONTENT_SECURITY_POLICY).contains("default-src"));
    let page = text(form).await;
    let links =
        ["href=\"", "src=\"", "action=\""].into_iter().flat_map(|it| page.split(it).skip(1));
    let links = links.filter_map(|it| it.split('"').next()).filter(|it| it.starts_with('/'));
    let links: Vec<&str> = links.collect();
    assert!(links.len() > 2, "{page}");
    assert!(links.iter().all(|link| link.starts_with("/bots/1/admin")), "{links:?}");
    let style = links.iter().find(|link| link.contains(".css")).unwrap();
    assert_eq!(site.get(style, "").await.status(), StatusCode::OK);

    let fields = format!("name=ada&password={}", PASSWORD.replace(' ', "+"));
    let request = Request::post("/bots/1/admin/sign-in")
        .header(header::HOST, "localhost:8080")
        .header(header::ORIGIN, "http://localhost:8080")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(fields))
        .unwrap();
    let signed_in = site.send(request).await;
    assert_eq!(signed_in.status(), StatusCode::SEE_OTHER);
    assert!(value(&signed_in, header::LOCATION).starts_with("/bots/1/admin"));
    let cookies: Vec<&str> = signed_in
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|it| it.to_str().unwrap())
        .collect();
    assert!(cookies.iter().all(|it| it.contains("Path=/bots/1;")), "{cookies:?}");
    let cookie: Vec<&str> = cookies.iter().filter_map(|it| it.split(';').next()).collect();

    let list = site.get("/bots/1/admin/users", &cookie.join("; ")).await;
    assert_eq!(list.status(), StatusCode::OK);
    assert_eq!(site.get("/", "").await.status(), StatusCode::OK);
    assert_eq!(site.get("/admin", "").await.status(), StatusCode::NOT_FOUND);
}
