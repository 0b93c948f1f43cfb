//! Which requests are let in: those with a valid key that has the scope.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::Response,
};
use rollcall_domain::{Admin, ApiKey, ApiScope, client_network, error_chain};
use rollcall_service::ServiceError;

use crate::{app::App, client::Client, error::ApiError};

/// The header that names the bot whose updates these are.
const BOT_ID: &str = "rollcall-bot-id";
/// How long the response to a wrong key takes, as for a wrong webhook secret.
const WRONG_KEY: Duration = Duration::from_secs(1);

/// The program that sent a request, in the request's extensions.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) Admin);

/// Lets a request in if its key has the scope.
pub(crate) async fn authorize(
    State((app, scope)): State<(App, ApiScope)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let client = request.extensions().get::<Client>().cloned().unwrap_or_default();
    let secret = bearer(request.headers())?;
    let admins = &app.services.admins;
    let key = admins.api_key(secret).await.map_err(|error| failed(&app, &error))?;
    let Some(key) = key else { return Err(refuse(&app, &client).await) };
    client.has_valid_key();
    if !key.scopes.has(scope) {
        return Err(lacks_scope(&key, scope));
    }
    if let Some(named) = named_bot(request.headers(), request.uri())? {
        let bot = admins.bot_of_api_keys().await.map_err(|error| failed(&app, &error))?;
        if bot.is_none_or(|bot| bot.get() != named) {
            let error = format!("this key is for another bot than {named}");
            return Err(ApiError::new(StatusCode::FORBIDDEN, error));
        }
    }
    let turn = app.shared.requests.take(key.name.clone(), Instant::now());
    turn.map_err(|wait| ApiError::wait("too many requests with this key", wait))?;
    request.extensions_mut().insert(Caller(Admin::Program(key.name)));
    Ok(next.run(request).await)
}

/// The key in `Authorization: Bearer KEY` (RFC 6750, 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let expected = || unauthorized("expected the header Authorization: Bearer KEY", "Bearer");
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, key) = value.and_then(|it| it.trim().split_once(' ')).ok_or_else(expected)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(key.trim()) } else { Err(expected()) }
}

fn unauthorized(error: &str, challenge: &'static str) -> ApiError {
    let challenge = HeaderValue::from_static(challenge);
    ApiError::new(StatusCode::UNAUTHORIZED, error).with_header(header::WWW_AUTHENTICATE, challenge)
}

/// The response to a wrong key. It takes a second, and an address that sends many is asked to wait.
/// Valid keys from the same address still work.
async fn refuse(app: &App, client: &Client) -> ApiError {
    metrics::counter!("rollcall_api_refused_total").increment(1);
    let now = Instant::now();
    let noted = app.shared.refused.lock().unwrap_or_else(PoisonError::into_inner).note(now);
    if let Some(requests) = noted {
        log::warn!(requests, address:% = client.address; "refused API requests with unknown or revoked keys");
    }
    if let Err(wait) = app.shared.wrong_keys.take(client_network(client.address), now) {
        return ApiError::wait("too many wrong keys from your address", wait);
    }
    tokio::time::sleep(WRONG_KEY).await;
    unauthorized("unknown or revoked key", r#"Bearer error="invalid_token""#)
}

fn lacks_scope(key: &ApiKey, scope: ApiScope) -> ApiError {
    let (name, scope) = (&key.name, scope.name());
    let error = format!("the key {name} lacks the scope {scope}; it has {}", key.scopes);
    let error = ApiError::new(StatusCode::FORBIDDEN, error).with("scope", scope);
    let challenge = format!(r#"Bearer error="insufficient_scope", scope="{scope}""#);
    match HeaderValue::try_from(challenge) {
        Ok(challenge) => error.with_header(header::WWW_AUTHENTICATE, challenge),
        Err(_) => error,
    }
}

/// The bot that the header `Rollcall-Bot-Id` or the parameter `bot_id` names.
fn named_bot(headers: &HeaderMap, uri: &Uri) -> Result<Option<i64>, ApiError> {
    let in_header = headers.get(BOT_ID).map(HeaderValue::as_bytes);
    let parameters = uri.query().into_iter().flat_map(|query| query.split('&'));
    let in_query = parameters.filter_map(|it| it.strip_prefix("bot_id=")).map(str::as_bytes);
    let mut named = None;
    for text in in_header.into_iter().chain(in_query) {
        let id = str::from_utf8(text).ok().and_then(|text| text.trim().parse::<i64>().ok());
        let id = id.ok_or_else(|| {
            ApiError::invalid("expected the id of a bot: the number before the colon of its token")
        })?;
        if named.is_some_and(|named| named != id) {
            return Err(ApiError::invalid("the header and the parameter name different bots"));
        }
        named = Some(id);
    }
    Ok(named)
}

/// The response if the storage failed, which is logged once a minute.
pub(crate) fn failed(app: &App, error: &ServiceError) -> ApiError {
    let mut pace = app.shared.not_stored.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(requests) = pace.note(Instant::now()) {
        log::warn!(requests, error = error_chain(error); "API requests failed because of the database");
    }
    ApiError::unavailable("the database failed; send the request again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: &str) -> Option<String> {
        let value = HeaderValue::from_str(value).unwrap();
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
        bearer(&headers).ok().map(str::to_owned)
    }

    #[test]
    fn a_key_is_a_bearer_token() {
        assert_eq!(key("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(key("bearer  abc ").as_deref(), Some("abc"));
        for wrong in ["abc", "Basic abc", "Bearer", ""] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
        assert!(bearer(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_bot_is_named_by_header_or_parameter() {
        let named = |header: Option<&'static str>, uri: &str| {
            let value = header.map(|it| (BOT_ID.parse().unwrap(), HeaderValue::from_static(it)));
            named_bot(&HeaderMap::from_iter(value), &uri.parse().unwrap()).ok()
        };
        assert_eq!(named(None, "/ingest"), Some(None));
        assert_eq!(named(Some("5"), "/ingest"), Some(Some(5)));
        assert_eq!(named(None, "/ingest?each=1&bot_id=5"), Some(Some(5)));
        assert_eq!(named(Some("5"), "/ingest?bot_id=5"), Some(Some(5)));
        assert_eq!(named(Some("5"), "/ingest?bot_id=6"), None);
        assert_eq!(named(Some("123:token"), "/ingest"), None);
        assert_eq!(named(None, "/ingest?bot_id="), None);
    }
}
