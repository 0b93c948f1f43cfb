//! The device that sent a request: browser and system, address, and the device cookie.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
    response::Response,
};
use rollcall_service::{Device, DeviceCookie};

use super::{Address, cookie};
use crate::{App, page::Failure};

/// The device of a request.
pub(crate) struct ClientDevice(pub(crate) Device);

impl FromRequestParts<App> for ClientDevice {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let Address(address) = Address::from_request_parts(parts, app).await?;
        let cookie = known(app, &parts.headers);
        Ok(Self(Device { name: name(&parts.headers), address, cookie }))
    }
}

/// Marks the browser as a known device of this session's admin.
pub(crate) async fn remember_device(
    app: &App,
    headers: &HeaderMap,
    session_token: &str,
    response: Response,
) -> Result<Response, Failure> {
    let known = app.admins.remember_device(session_token, known(app, headers)).await?;
    Ok(match known {
        Some(known) => cookie::keep(&app.settings, cookie::DEVICE, known.as_str(), response),
        None => response,
    })
}

fn known(app: &App, headers: &HeaderMap) -> DeviceCookie {
    cookie::read(&app.settings, cookie::DEVICE, headers).unwrap_or_default().into()
}

/// The names of browsers, by a part of their `User-Agent`. Most browsers also name others, so the
/// first match counts.
const BROWSERS: [(&str, &str); 13] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-requests/", "Python"),
];

/// The names of systems, by a part of the `User-Agent`. The first match counts.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
    ("BSD", "BSD"),
];

fn name(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_systems_are_recognised() {
        let named = |agent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().unwrap());
            name(&headers)
        };
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(), "Firefox on Linux"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/143.0.0.0 Safari/537.36"), "Chrome on Windows"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0"), "Edge on Windows"),
            (format!("Mozilla/5.0 (Linux; Android 16; K) {webkit} Chrome/143.0.0.0 Mobile Safari/537.36"), "Chrome on Android"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1".to_owned(), "Safari on iPhone"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15".to_owned(), "Safari on macOS"),
            ("curl/8.14.1".to_owned(), "curl"),
            ("<script>alert(1)</script>".to_owned(), ""),
        ] {
            assert_eq!(named(&agent), expected, "{agent}");
        }
        assert_eq!(name(&HeaderMap::new()), "");
    }
}
