//! What keeps strangers out of pages that people have open: headers, the check of where a form was
//! sent from, and the address that somebody really has.

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use tower_http::csrf::CsrfLayer;

use crate::{App, Settings};

/// Only what comes from here, nothing inline, and nowhere in a frame. `connect-src` is for the
/// search as one types.
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

/// Browsers that came by https once do so for a year.
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
    // The pages tell of people; only the files that tell nothing are kept.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses what a page of somebody else's makes a browser send (tower-http's `csrf`: by
/// `Sec-Fetch-Site`, else by `Origin` and `Host`). A proxy may change `Host`, so the origin that
/// people see counts too. Where a browser tells neither, [`super::form_token`] finds out.
pub(crate) fn refuse_forged_requests(settings: &Settings) -> CsrfLayer {
    let layer = CsrfLayer::new();
    let Some(origin) = &settings.origin else { return layer };
    layer.clone().add_trusted_origin(origin).unwrap_or_else(|error| {
        log::warn!(error:% = error; "PUBLIC_URL names no origin that a browser sends");
        layer
    })
}
