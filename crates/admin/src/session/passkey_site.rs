//! Where passkeys can be used: at the address in PUBLIC_URL, if it is https with a host name, and at
//! `localhost`.

use axum::http::{HeaderMap, header};
use rollcall_service::PasskeySite;

use crate::Settings;

/// The sites that a page may be shown at. Only the browser knows which of them it is, because a proxy
/// may change `Host`.
pub(crate) fn sites(settings: &Settings, headers: &HeaderMap) -> Vec<PasskeySite> {
    let public = settings.origin.as_deref().and_then(PasskeySite::new);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let local = PasskeySite::new(&format!("http://{host}"));
    let mut sites: Vec<PasskeySite> = public.into_iter().chain(local).collect();
    sites.dedup();
    sites
}

/// The site that the browser shows, if passkeys can be used there.
pub(crate) fn site(settings: &Settings, headers: &HeaderMap) -> Option<PasskeySite> {
    let mut sites = sites(settings, headers).into_iter();
    match headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) {
        Some(origin) => sites.find(|site| site.origin() == origin),
        None => sites.next(),
    }
}

/// The origins of sites, for the script, which checks whether it runs on one of them.
pub(crate) fn origins(sites: &[PasskeySite]) -> String {
    sites.iter().map(PasskeySite::origin).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(origin: Option<&str>) -> Settings {
        Settings { origin: origin.map(str::to_owned), ..Settings::default() }
    }

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_page_offers_passkeys_at_the_public_url_and_at_localhost() {
        let public = "https://bot.example.org";
        for (origin, host, expected) in [
            (None, "localhost:8080", "http://localhost:8080"),
            (None, "127.0.0.1:8080", ""),
            (None, "[::1]:8080", ""),
            (None, "bot.example.org", ""),
            (None, "localhost.example.org", ""),
            (None, "localhost:8080/x", ""),
            (Some("http://bot.example.org"), "bot.example.org", ""),
            (Some("https://192.0.2.1"), "192.0.2.1", ""),
            (Some(public), "bot.example.org", public),
            (Some(public), "10.0.0.7:8080", public),
            (Some(public), "localhost:8080", "https://bot.example.org http://localhost:8080"),
            (Some("http://localhost:8080"), "localhost:8080", "http://localhost:8080"),
        ] {
            let sites = sites(&settings(origin), &headers(host, None));
            assert_eq!(origins(&sites), expected, "{origin:?} {host}");
        }
    }

    #[test]
    fn the_site_is_that_of_the_origin_header() {
        let public = settings(Some("https://bot.example.org"));
        let at =
            |host: &str, origin| site(&public, &headers(host, origin)).map(|site| site.origin());
        let (local, here) = ("http://localhost:8080", "https://bot.example.org");
        assert_eq!(at("localhost:8080", Some(local)).as_deref(), Some(local));
        assert_eq!(at("localhost:8080", Some(here)).as_deref(), Some(here));
        assert_eq!(at("bot.example.org", None).as_deref(), Some(here));
        for other in ["http://localhost:1", "https://evil.example", "null", "http://127.0.0.1"] {
            assert_eq!(at("localhost:8080", Some(other)), None, "{other}");
        }
        assert_eq!(at("127.0.0.1:8080", Some("http://127.0.0.1:8080")), None);
    }
}
