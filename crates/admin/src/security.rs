//! What keeps strangers out of pages that people have open: headers, the check of where a form was
//! sent from, and the address that somebody really has.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::Response,
};
use ipnet::IpNet;
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

/// Adds the headers that every answer has.
pub(crate) async fn headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The pages tell of people; only the files that tell nothing are kept.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses what a page of somebody else's makes a browser send (tower-http's `csrf`: by
/// `Sec-Fetch-Site`, else by `Origin` and `Host`). A proxy may change `Host`, so the origin that
/// people see counts too. Where a browser tells neither, [`crate::form`] finds out.
pub(crate) fn forged_requests(settings: &Settings) -> CsrfLayer {
    let layer = CsrfLayer::new();
    let Some(origin) = &settings.origin else { return layer };
    layer.clone().add_trusted_origin(origin).unwrap_or_else(|error| {
        log::warn!(error:% = error; "PUBLIC_URL names no origin that a browser sends");
        layer
    })
}

/// The address that a request comes from: that of the peer, or, where the peer is a trusted proxy,
/// the last one in `X-Forwarded-For` that is none. What stands before it anybody may have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) IpAddr);

impl FromRequestParts<App> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip());
        Ok(Self(behind(&app.settings.trusted_proxies, peer, &parts.headers)))
    }
}

fn behind(proxies: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_trusted =
        |address: &IpAddr| proxies.iter().any(|it| it.contains(&address.to_canonical()));
    let mut address = peer.to_canonical();
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|it| it.to_str().ok());
    let forwarded: Vec<&str> = forwarded.flat_map(|it| it.split(',')).collect();
    for text in forwarded.into_iter().rev() {
        if !is_trusted(&address) {
            break;
        }
        // What cannot be read is not believed, and neither is what stands before it.
        let Ok(before) = text.trim().parse::<IpAddr>() else { break };
        address = before.to_canonical();
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(proxies: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let proxies: Vec<IpNet> = proxies.iter().map(|it| it.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        behind(&proxies, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ours = &["10.0.0.0/8", "::1/128"];
        assert_eq!(seen(&[], "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(seen(ours, "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(seen(ours, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen(ours, "::1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen(ours, "::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn what_a_stranger_wrote_before_the_proxies_does_not_count() {
        let ours = &["10.0.0.0/8"];
        assert_eq!(seen(ours, "10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(seen(ours, "10.0.0.1", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen(ours, "10.0.0.1", &["1.1.1.1, nonsense"]), "10.0.0.1");
    }
}
