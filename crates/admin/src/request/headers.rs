//! The security headers of every answer, and the refusal of forged requests.

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use tower_http::csrf::CsrfLayer;

use crate::{App, Settings};

/// Only own resources, nothing inline, and no framing. The live search needs `connect-src`.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; \
     base-uri 'none'";

const PERMISSIONS_POLICY: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";

const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// Browsers that once used https keep using it for a year.
const HSTS: &str = "max-age=31536000";

/// Adds the headers that every answer has.
pub(crate) async fn set_headers(State(app): State<App>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if app.settings.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages contain personal data, so only assets may be cached.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses requests that a page of another site makes a browser send (tower-http's `csrf`: by
/// `Sec-Fetch-Site`, otherwise by `Origin` and `Host`). A proxy may change `Host`, so the public
/// origin counts, too. If a browser sends neither header, [`super::form_token`] decides.
pub(crate) fn refuse_forged_requests(settings: &Settings) -> CsrfLayer {
    let layer = CsrfLayer::new();
    let Some(origin) = &settings.origin else { return layer };
    layer.clone().add_trusted_origin(origin).unwrap_or_else(|error| {
        log::warn!(error:% = error; "PUBLIC_URL names no origin that a browser sends");
        layer
    })
}
