//! Refuses requests by host name, network and rate, before they cause any other work.

use std::{net::IpAddr, time::Instant};

use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Address;
use crate::{App, Settings};

/// Passes a request on if it may reach the admin.
pub(crate) async fn admit(
    State(app): State<App>,
    Address(address): Address,
    request: Request,
    next: Next,
) -> Response {
    if !is_allowed(&app.settings, address) {
        return (StatusCode::FORBIDDEN, "ADMIN_ALLOW does not include your address.\n")
            .into_response();
    }
    if !is_ours(&app.settings, &request) {
        let text = "The web admin does not answer to this host name. Open it at PUBLIC_URL, at \
                    localhost, or at an IP address.\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    if !app.rate_limiter.admits(address, Instant::now()) {
        let wait = [(header::RETRY_AFTER, "1")];
        return (StatusCode::TOO_MANY_REQUESTS, wait, "Too many requests.\n").into_response();
    }
    next.run(request).await
}

fn is_allowed(settings: &Settings, address: IpAddr) -> bool {
    let networks = &settings.allowed_networks;
    networks.is_empty() || networks.iter().any(|it| it.contains(&address.to_canonical()))
}

/// Whether a request is addressed to the admin's own host. Another website can point its host name at
/// this machine (DNS rebinding), and browsers would then treat its pages as ours. IP addresses are
/// safe, because that attack needs a name.
fn is_ours(settings: &Settings, request: &Request) -> bool {
    let named = request.uri().host().map(str::to_owned);
    let host = named.or_else(|| {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        // An authority, such as `[::1]:8080`.
        format!("http://{host}/").parse::<Uri>().ok()?.host().map(str::to_owned)
    });
    let Some(host) = host else { return false };
    let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    let public = settings.origin.as_deref().and_then(|origin| origin.parse::<Uri>().ok());
    let is_public =
        public.is_some_and(|uri| uri.host().is_some_and(|it| it.eq_ignore_ascii_case(&host)));
    is_address || is_public || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn answers_to(origin: Option<&str>, host: Option<&str>) -> bool {
        let settings = Settings { origin: origin.map(str::to_owned), ..Settings::default() };
        let mut request = Request::builder().uri("/admin");
        if let Some(host) = host {
            request = request.header(header::HOST, host);
        }
        is_ours(&settings, &request.body(Body::empty()).unwrap())
    }

    #[test]
    fn only_its_own_names_are_accepted() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "192.0.2.1"] {
            assert!(answers_to(None, Some(host)), "{host}");
        }
        let origin = Some("https://bot.example.org");
        for host in ["bot.example.org", "Bot.Example.Org:443", "localhost:1"] {
            assert!(answers_to(origin, Some(host)), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:8080",
            "127.0.0.1.evil.example",
            "bot.example.org.evil.example",
            "bot.example.org@evil.example",
            "",
            "a b",
            ":8080",
        ] {
            assert!(!answers_to(origin, Some(host)), "{host}");
        }
        assert!(!answers_to(origin, None));
        assert!(!answers_to(None, Some("bot.example.org")));
    }

    #[test]
    fn the_target_counts_before_the_header() {
        let settings = Settings::default();
        let request = Request::builder().uri("http://evil.example/admin");
        let request = request.header(header::HOST, "localhost").body(Body::empty()).unwrap();
        assert!(!is_ours(&settings, &request));
    }
}
