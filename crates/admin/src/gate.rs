//! Which requests reach the admin at all: by host name, network and rate. Requests that are refused
//! here have caused no other work.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use rollcall_domain::client_network;

use crate::{App, Settings, address::Address};

/// How many requests an address may make at once, and then each second. A page is about ten, and a
/// search as one types some more.
const AT_ONCE: f64 = 600.0;
const A_SECOND: f64 = 60.0;
/// How many addresses are remembered: some hundred KiB.
const MOST_ADDRESSES: usize = 10_000;

/// Passes a request on if it may reach the admin.
pub(crate) async fn guard(
    State(app): State<App>,
    Address(address): Address,
    request: Request,
    next: Next,
) -> Response {
    if !is_allowed(&app.settings, address) {
        return (StatusCode::FORBIDDEN, "ADMIN_ALLOW does not have your address.\n")
            .into_response();
    }
    if !is_ours(&app.settings, &request) {
        let text = "The web admin is not reached by this name: open it at PUBLIC_URL, at \
                    localhost, or at an IP address.\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    if !app.pace.admits(address, Instant::now()) {
        let wait = [(header::RETRY_AFTER, "1")];
        return (StatusCode::TOO_MANY_REQUESTS, wait, "Too many requests.\n").into_response();
    }
    next.run(request).await
}

fn is_allowed(settings: &Settings, address: IpAddr) -> bool {
    let networks = &settings.allowed_networks;
    networks.is_empty() || networks.iter().any(|it| it.contains(&address.to_canonical()))
}

/// Whether a request names the admin's own host. Another website can have its name lead to this
/// machine (DNS rebinding), and its pages would then count as ours in a browser; but it needs a name
/// for that.
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

/// How often each address may ask: a token bucket each.
#[derive(Default)]
pub(crate) struct Pace {
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn tokens(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at);
        A_SECOND.mul_add(since.as_secs_f64(), self.tokens).min(AT_ONCE)
    }
}

impl Pace {
    fn admits(&self, address: IpAddr, now: Instant) -> bool {
        // Nothing panics while it is held.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_ADDRESSES {
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at) < FULL_AGAIN);
        }
        if buckets.len() >= MOST_ADDRESSES {
            // So many at once are no single client; other limits hold for them.
            return true;
        }
        let bucket =
            buckets.entry(client_network(address)).or_insert(Bucket { tokens: AT_ONCE, at: now });
        let tokens = bucket.tokens(now);
        let admitted = tokens >= 1.0;
        *bucket = Bucket { tokens: if admitted { tokens - 1.0 } else { tokens }, at: now };
        admitted
    }
}

/// After so long a bucket is full again, and need not be remembered.
const FULL_AGAIN: Duration = Duration::from_secs(10);

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
    fn it_answers_to_its_own_names_only() {
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

    #[test]
    fn an_address_has_its_pace_and_no_more() {
        let (pace, start) = (Pace::default(), Instant::now());
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let admitted =
            |address: IpAddr, at, of: u32| (0..of).filter(|_| pace.admits(address, at)).count();
        assert_eq!(admitted(one, start, 1000), 600);
        assert_eq!(admitted("2001:db8::2".parse().unwrap(), start, 10), 0, "the same network");
        assert_eq!(admitted("192.0.2.1".parse().unwrap(), start, 10), 10);
        assert_eq!(admitted(one, start + Duration::from_secs(2), 1000), 120);
    }

    #[test]
    fn memory_is_bounded() {
        let (pace, start) = (Pace::default(), Instant::now());
        for n in 0..20_000_u32 {
            assert!(pace.admits(std::net::Ipv4Addr::from_bits(n).into(), start));
        }
        assert!(pace.buckets.lock().unwrap().len() <= MOST_ADDRESSES);
        assert!(pace.admits("192.0.2.1".parse().unwrap(), start + FULL_AGAIN));
        assert_eq!(pace.buckets.lock().unwrap().len(), 1);
    }
}
