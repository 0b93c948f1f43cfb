//! What is served, and the scope that a key needs for it.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{from_fn_with_state, map_response},
    response::Response,
    routing::{MethodRouter, any, delete, get, post, put},
};
use rollcall_domain::ApiScope;

use crate::{
    access::authorize,
    app::App,
    error::ApiError,
    ingest,
    v1::{broadcasts, open_api, segments, stats, users},
};

/// The description of all requests.
const OPEN_API: &str = "/api/v1/openapi.json";

/// A request that is served.
struct Route {
    path: &'static str,
    /// Its method. The tests compare it with the description.
    #[cfg_attr(not(test), expect(dead_code, reason = "the handler knows it"))]
    method: &'static str,
    scope: ApiScope,
    handler: MethodRouter<App>,
}

fn routes() -> Vec<Route> {
    use ApiScope::{Ingest, Read, Write};
    let route = |method, path, scope, handler| Route { path, method, scope, handler };
    vec![
        route("post", "/ingest", Ingest, post(ingest::take)),
        route("get", "/api/v1/stats", Read, get(stats::show)),
        route("get", "/api/v1/users", Read, get(users::list)),
        route("get", "/api/v1/users/{id}", Read, get(users::one)),
        route("post", "/api/v1/users/{id}/consent", Write, post(users::consent)),
        route("put", "/api/v1/users/{id}/tags/{tag}", Write, put(users::add_tag)),
        route("delete", "/api/v1/users/{id}/tags/{tag}", Write, delete(users::remove_tag)),
        route("get", "/api/v1/segments", Read, get(segments::list)),
        route("get", "/api/v1/segments/{name}/users", Read, get(segments::users)),
        route("get", "/api/v1/broadcasts", Read, get(broadcasts::list)),
        route("post", "/api/v1/broadcasts", Write, post(broadcasts::create)),
        route("get", "/api/v1/broadcasts/{id}", Read, get(broadcasts::one)),
        route("get", "/api/v1/broadcasts/{id}/audience", Read, get(broadcasts::audience)),
        route("post", "/api/v1/broadcasts/{id}/start", Write, post(broadcasts::start)),
        route("post", "/api/v1/broadcasts/{id}/pause", Write, post(broadcasts::pause)),
        route("post", "/api/v1/broadcasts/{id}/resume", Write, post(broadcasts::resume)),
        route("post", "/api/v1/broadcasts/{id}/cancel", Write, post(broadcasts::cancel)),
    ]
}

/// The router of all requests, with the middleware around them.
pub(crate) fn router(prefix: &str, app: App) -> Router {
    let mut router = Router::new();
    for Route { path, scope, handler, .. } in routes() {
        let guard = from_fn_with_state((app.clone(), scope), authorize);
        router = router.route(&format!("{prefix}{path}"), handler.route_layer(guard));
    }
    for path in ["/ingest/", "/ingest/{*rest}", "/api", "/api/", "/api/{*rest}"] {
        router = router.route(&format!("{prefix}{path}"), any(unknown));
    }
    let document = open_api::document(prefix);
    router
        .route(&format!("{prefix}{OPEN_API}"), get(move || open_api::show(document.clone())))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_description_has_every_route_and_its_scope() {
        let document = open_api::document("/behind/a/proxy");
        assert_eq!(document["servers"][0]["url"], "/behind/a/proxy");
        let described: BTreeSet<(String, String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().iter().map(|(method, operation)| {
                    let scope = operation["security"][0]["key"][0].as_str().unwrap_or("none");
                    (path.clone(), method.clone(), scope.to_owned())
                })
            })
            .collect();
        let open = (OPEN_API.to_owned(), "get".to_owned(), "none".to_owned());
        let served = routes().into_iter().map(|route| {
            (route.path.to_owned(), route.method.to_owned(), route.scope.name().to_owned())
        });
        assert_eq!(described, served.chain([open]).collect());
    }
}
