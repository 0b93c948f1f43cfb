//! How the admin is reached from outside.

use ipnet::IpNet;

use crate::request::ForwardedHeader;

/// How the admin is reached from outside.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What its paths begin with, such as `/rollcall`; empty where nothing stands before `/admin`.
    pub prefix: String,
    /// The origin that people's browsers see, such as `https://bot.example.org`, if it is known.
    pub origin: Option<String>,
    /// The proxies that are believed when they tell whose request they pass on.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they do.
    pub forwarded_header: ForwardedHeader,
    /// The networks that may reach it; everybody may where there are none.
    pub allowed_networks: Vec<IpNet>,
}

impl Settings {
    /// Whether people come by https, so that cookies may ask for it.
    pub(crate) fn is_https(&self) -> bool {
        self.origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }
}
