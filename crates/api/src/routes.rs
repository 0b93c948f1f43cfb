//! What is served, and the scope that a key needs for it.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{from_fn_with_state, map_response},
    response::Response,
    routing::{MethodRouter, any, post},
};
use rollcall_domain::ApiScope;

use crate::{app::App, error::ApiError, ingest};

/// A request that is served.
struct Route {
    path: &'static str,
    scope: ApiScope,
    handler: MethodRouter<App>,
}

fn routes() -> Vec<Route> {
    let route = |path, scope, handler| Route { path, scope, handler };
    vec![route("/ingest", ApiScope::Ingest, post(ingest::take))]
}

/// The router of all requests, with the middleware around them.
pub(crate) fn router(prefix: &str, app: App) -> Router {
    let mut router = Router::new();
    for Route { path, scope, handler } in routes() {
        let guard = from_fn_with_state((app.clone(), scope), crate::access::authorize);
        router = router.route(&format!("{prefix}{path}"), handler.route_layer(guard));
    }
    for path in ["/ingest/", "/ingest/{*rest}", "/api", "/api/", "/api/{*rest}"] {
        router = router.route(&format!("{prefix}{path}"), any(unknown));
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .layer(map_response(set_headers))
        .with_state(app)
}

async fn unknown(request: Request) -> ApiError {
    let error = format!("there is no {}; docs/api.md lists all requests", request.uri().path());
    ApiError::new(StatusCode::NOT_FOUND, error)
}

async fn wrong_method(request: Request) -> ApiError {
    let error = format!("{} does not allow {}", request.uri().path(), request.method());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, error)
}

/// Responses are about users: nothing may store them.
async fn set_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
