//! Which requests are answered from the replica.
//!
//! A browser that has changed something gets a cookie with the position of the primary's log after the
//! change, and reads the primary until the replica has replayed the log up to it. So it sees its own changes
//! at once, whichever process answers next. A program has no cookies: each of its requests sees what was
//! changed before it. The replica has a moment to catch up, then the primary is read.

use std::time::Duration;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    response::Response,
};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use rollcall_admin::{Behind, EXPORT};
use rollcall_repository_diesel::{Database, WalPosition};

use crate::settings::HttpSettings;

/// The cookie with the position of the latest change.
const COOKIE: &str = "rollcall_position";
/// How long a browser keeps it, in seconds. A replica that is further behind shows its changes late.
const KEPT: u32 = 24 * 60 * 60;
/// How long a request of a program waits for the replica.
const CATCH_UP: Duration = Duration::from_millis(100);
/// From when on pages show how far the replica is behind.
const SHOWN: Duration = Duration::from_secs(5);

/// The same routes on the primary and on the replica.
#[derive(Clone)]
pub(crate) struct Readers {
    database: Database,
    on_primary: Router,
    on_replica: Router,
    prefix: String,
    is_https: bool,
}

impl Readers {
    /// `database` has the replica.
    pub(crate) fn new(
        settings: &HttpSettings,
        database: Database,
        on_primary: Router,
        on_replica: Router,
    ) -> Self {
        let url = settings.public_url.as_ref();
        let is_https = url.is_some_and(|url| url.origin().starts_with("https:"));
        Self { database, on_primary, on_replica, prefix: settings.prefix().to_owned(), is_https }
    }

    /// A router that answers every path.
    pub(crate) fn router(self) -> Router {
        let answer = async |State(readers): State<Self>, request| readers.answer(request).await;
        Router::new().fallback(answer).with_state(self)
    }

    async fn answer(self, mut request: Request) -> Response {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        if self.is_for_programs(&request) {
            let is_current = is_read && self.database.replica_has_all(CATCH_UP).await;
            return answer(if is_current { self.on_replica } else { self.on_primary }, request)
                .await;
        }
        if !is_read && !self.is_export(&request) {
            let response = answer(self.on_primary.clone(), request).await;
            return self.note_change(response).await;
        }
        if let Some(position) = position(request.headers())
            && !self.database.replica_has(position, Duration::ZERO).await
        {
            return answer(self.on_primary, request).await;
        }
        if let Some(Ok(lag)) = self.database.replica().map(|replica| replica.lag)
            && lag > SHOWN
        {
            request.extensions_mut().insert(Behind(lag));
        }
        answer(self.on_replica, request).await
    }

    fn path<'a>(&self, request: &'a Request) -> &'a str {
        let path = request.uri().path();
        path.strip_prefix(self.prefix.as_str()).unwrap_or(path)
    }

    fn is_for_programs(&self, request: &Request) -> bool {
        rollcall_api::PATHS.iter().any(|path| self.path(request).starts_with(path))
    }

    fn is_export(&self, request: &Request) -> bool {
        self.path(request) == EXPORT
    }

    /// Adds the cookie to the response to a form.
    async fn note_change(&self, mut response: Response) -> Response {
        // Without the primary, nothing was changed.
        let Ok(Some(position)) = self.database.position().await else { return response };
        let path = if self.prefix.is_empty() { "/" } else { &self.prefix };
        let secure = if self.is_https { "; Secure" } else { "" };
        // Not strict: a link from another site also leads to a page with the change.
        let cookie = format!(
            "{COOKIE}={position}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={KEPT}{secure}"
        );
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// The position in the cookie of a browser.
fn position(headers: &HeaderMap) -> Option<WalPosition> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == COOKIE).then(|| value.parse().ok()).flatten())
}

async fn answer(router: Router, request: Request) -> Response {
    match TowerToHyperService::new(router).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_read_from_its_cookie_and_nothing_else() {
        let found = |cookies: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
            position(&headers).map(|position| position.to_string())
        };
        assert_eq!(found("a=b; rollcall_position=4711; c=d").as_deref(), Some("4711"));
        for cookies in [
            "",
            "position=1",
            "rollcall_position=",
            "rollcall_position=-1",
            "rollcall_position=0x10",
            "rollcall_position=99999999999999999999",
        ] {
            assert_eq!(found(cookies), None, "{cookies}");
        }
    }
}
