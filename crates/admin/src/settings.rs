//! How the admin is reached from outside.

use ipnet::IpNet;

use crate::request::ForwardedHeader;

/// How the admin is reached from outside.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The prefix of all paths, such as `/rollcall`; empty if there is none before `/admin`.
    pub prefix: String,
    /// The origin that browsers see, such as `https://bot.example.org`, if it is known.
    pub origin: Option<String>,
    /// The proxies that may name the client of a request.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they name it.
    pub forwarded_header: ForwardedHeader,
    /// The networks that may reach the admin; if there are none, all may.
    pub allowed_networks: Vec<IpNet>,
}

impl Settings {
    /// Whether browsers use https, so that cookies can require it.
    pub(crate) fn is_https(&self) -> bool {
        self.origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }
}
