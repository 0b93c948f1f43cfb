//! What is served over HTTP.

mod value;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;
use ipnet::IpNet;
use rollcall_admin::ForwardedHeader;
use rollcall_telegram::{ApiUrl, Webhook, WebhookSecret, WebhookUrl};

pub(super) use self::value::Listen;
use self::value::{HeaderName, Networks};
use super::{
    public_url::PublicUrl,
    secret::parse_secret,
    value::{HEADING, OnOrOff, SettingError, parse, read},
};
use crate::{
    environment::Environment,
    health,
    http::{SECURITY_TXT, SecurityContact},
};

const WEBHOOK_URL: &str = "WEBHOOK_URL";
const WEBHOOK_SECRET: &str = "WEBHOOK_SECRET";
const LISTEN_ADDR: &str = "LISTEN_ADDR";
const PUBLIC_URL: &str = "PUBLIC_URL";
const REQUIRE_SECOND_FACTOR: &str = "REQUIRE_SECOND_FACTOR";
const TRUSTED_PROXIES: &str = "TRUSTED_PROXIES";
const FORWARDED_HEADER: &str = "FORWARDED_HEADER";
const ADMIN_ALLOW: &str = "ADMIN_ALLOW";
const METRICS_ADDR: &str = "METRICS_ADDR";
const SECURITY_CONTACT: &str = "SECURITY_CONTACT";

/// The ports to which Telegram's own server brings updates (Bot API, "setWebhook").
const TELEGRAMS_PORTS: [u16; 4] = [443, 80, 88, 8443];

/// Flags for what is served over HTTP.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
pub struct HttpArguments {
    /// Receive updates by webhook at this address, instead of polling for them [env: WEBHOOK_URL]
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Secret token that proves a webhook request comes from Telegram: 16 to 256 characters of
    /// A-Z a-z 0-9 _ -, such as `openssl rand -hex 32` prints. Required with WEBHOOK_URL, and safer in
    /// the environment or a file than in a flag [env: WEBHOOK_SECRET or WEBHOOK_SECRET_FILE]
    #[arg(long, value_name = "SECRET")]
    webhook_secret: Option<String>,
    /// Address for the webhook, web admin and monitoring endpoints (/metrics, /healthz, /readyz), such
    /// as 127.0.0.1:8090, localhost:8090 or :8090, or off [env: LISTEN_ADDR]
    /// [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen_addr: Option<String>,
    #[allow(rustdoc::bare_urls, reason = "the text is that of --help, too")]
    /// Address at which browsers reach Rollcall through a reverse proxy, without /admin, such as
    /// https://example.org/rollcall [env: PUBLIC_URL] [default: http:// and LISTEN_ADDR]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Trusted reverse proxies (their FORWARDED_HEADER is used): addresses or networks, separated by
    /// commas [env: TRUSTED_PROXIES]
    #[arg(long, value_name = "ADDRESSES")]
    trusted_proxies: Option<String>,
    /// Header in which the trusted proxies pass on the client's address: x-forwarded-for, or forwarded
    /// (RFC 7239) [env: FORWARDED_HEADER] [default: x-forwarded-for]
    #[arg(long, value_name = "NAME")]
    forwarded_header: Option<String>,
    /// Require every admin to set up a second factor before using the web admin
    /// [env: REQUIRE_SECOND_FACTOR] [default: off]
    #[arg(long, value_name = "on|off")]
    require_second_factor: Option<String>,
    /// Networks that may open the web admin, separated by commas, such as 10.0.0.0/8,fd00::/8
    /// [env: ADMIN_ALLOW] [default: all]
    #[arg(long, value_name = "NETWORKS")]
    admin_allow: Option<String>,
    /// Separate address for /metrics, /healthz and /readyz [env: METRICS_ADDR] [default: LISTEN_ADDR]
    #[arg(long, value_name = "ADDRESS")]
    metrics_addr: Option<String>,
    /// Where to report security problems, shown in /.well-known/security.txt: a mailto: or https:
    /// URI [env: SECURITY_CONTACT]
    #[arg(long, value_name = "URI")]
    security_contact: Option<String>,
}

/// What is served over HTTP, and where.
#[derive(Clone, Debug, Default)]
pub struct HttpSettings {
    /// Where to listen; `None` for nowhere, which only goes without a webhook.
    pub address: Option<SocketAddr>,
    /// The address that people see, if it is another one.
    pub public_url: Option<PublicUrl>,
    /// The proxies whose `forwarded_header` is used.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they do.
    pub forwarded_header: ForwardedHeader,
    /// Whether every admin has to have a second factor.
    pub requires_second_factor: bool,
    /// The networks that may open the web admin; empty where all may.
    pub admin_networks: Vec<IpNet>,
    /// Where the bot is watched, if that is apart from `address`.
    pub metrics_address: Option<SocketAddr>,
    /// Where security problems are reported.
    pub security_contact: Option<SecurityContact>,
    /// Where Telegram delivers updates; `None` where they are polled.
    pub webhook: Option<Webhook>,
}

impl HttpArguments {
    /// What is served, with updates from the Bot API server at `api_url`.
    ///
    /// # Errors
    /// If a setting is wrong, or does not go with another one.
    pub fn settings(
        &self,
        environment: &Environment,
        api_url: &ApiUrl,
    ) -> Result<HttpSettings, SettingError> {
        let settings = self.without_webhook(environment)?;
        let url: Option<WebhookUrl> =
            parse(WEBHOOK_URL, self.webhook_url.as_deref(), environment).transpose()?;
        let Some(url) = url else { return Ok(settings) };
        if settings.is_ours(url.path()) {
            let reason = "its path belongs to the web admin or the API; expected another one, such as \
                          /webhook";
            return Err(SettingError::Wrong(WEBHOOK_URL, reason.to_owned()));
        }
        let own = [&health::PATHS[..], &[SECURITY_TXT]].concat();
        if own.contains(&url.path()) {
            let reason = format!(
                "its path is one of {}, which the bot serves itself; expected another one, such as \
                 /webhook",
                own.join(", ")
            );
            return Err(SettingError::Wrong(WEBHOOK_URL, reason));
        }
        if !url.is_https() && api_url.is_telegrams() {
            let reason = "Telegram delivers updates only over https; expected a URL such as \
                          https://bot.example.org/webhook";
            return Err(SettingError::Wrong(WEBHOOK_URL, reason.to_owned()));
        }
        if !TELEGRAMS_PORTS.contains(&url.port()) && api_url.is_telegrams() {
            let reason = "Telegram delivers updates only to the ports 443, 80, 88 and 8443; expected \
                          a URL such as https://bot.example.org/webhook";
            return Err(SettingError::Wrong(WEBHOOK_URL, reason.to_owned()));
        }
        let secret: Option<WebhookSecret> =
            parse_secret(WEBHOOK_SECRET, self.webhook_secret.as_deref(), environment)
                .transpose()?;
        let secret = secret.ok_or(SettingError::NoSecret)?;
        if settings.address.is_none() {
            return Err(SettingError::NowhereToListen);
        }
        Ok(HttpSettings { webhook: Some(Webhook { url, secret }), ..settings })
    }

    /// What is served where Telegram brings nothing.
    ///
    /// # Errors
    /// If a setting is wrong.
    pub fn without_webhook(&self, environment: &Environment) -> Result<HttpSettings, SettingError> {
        let address = self.address(environment)?;
        let flag = self.public_url.as_deref();
        let public_url: Option<PublicUrl> = parse(PUBLIC_URL, flag, environment).transpose()?;
        let flag = self.trusted_proxies.as_deref();
        let Networks(trusted_proxies) =
            parse(TRUSTED_PROXIES, flag, environment).transpose()?.unwrap_or_default();
        let flag = self.forwarded_header.as_deref();
        let HeaderName(forwarded_header) =
            parse(FORWARDED_HEADER, flag, environment).transpose()?.unwrap_or_default();
        let flag = self.require_second_factor.as_deref();
        let OnOrOff(requires_second_factor) =
            parse(REQUIRE_SECOND_FACTOR, flag, environment).transpose()?.unwrap_or_default();
        let flag = self.admin_allow.as_deref();
        let Networks(admin_networks) =
            parse(ADMIN_ALLOW, flag, environment).transpose()?.unwrap_or_default();
        let flag = self.metrics_addr.as_deref();
        let metrics_address: Option<SocketAddr> =
            parse(METRICS_ADDR, flag, environment).transpose()?.and_then(|Listen(it)| it);
        if metrics_address.is_some() && metrics_address == address {
            let reason = "it is the same as LISTEN_ADDR; expected another address, or nothing to \
                          serve /metrics at LISTEN_ADDR";
            return Err(SettingError::Wrong(METRICS_ADDR, reason.to_owned()));
        }
        let flag = self.security_contact.as_deref();
        let security_contact = parse(SECURITY_CONTACT, flag, environment).transpose()?;
        Ok(HttpSettings {
            address,
            public_url,
            trusted_proxies,
            forwarded_header,
            requires_second_factor,
            admin_networks,
            metrics_address,
            security_contact,
            webhook: None,
        })
    }

    /// Where to listen; `None` for nowhere.
    ///
    /// # Errors
    /// If the setting is wrong.
    pub fn address(&self, environment: &Environment) -> Result<Option<SocketAddr>, SettingError> {
        let Listen(address) = parse(LISTEN_ADDR, self.listen_addr.as_deref(), environment)
            .unwrap_or_else(|| read(LISTEN_ADDR, "127.0.0.1:8080"))?;
        Ok(address)
    }

    /// With this address in place of `LISTEN_ADDR`, if there is one.
    #[must_use]
    pub fn listening_at(self, address: Option<String>) -> Self {
        Self { listen_addr: address.or(self.listen_addr), ..self }
    }
}

impl HttpSettings {
    /// The address of the web admin's pages for a browser, where `listening` is what is listened on.
    pub fn admin_url(&self, listening: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => format!("{url}/admin"),
            None => format!("http://{}/admin", reachable(listening)),
        }
    }

    /// What the paths of the web admin begin with; "" where that is nothing.
    pub fn prefix(&self) -> &str {
        self.public_url.as_ref().map_or("", PublicUrl::prefix)
    }

    /// What an operator should know about these settings, if anything.
    pub fn warning(&self) -> Option<&'static str> {
        let is_https = self.public_url.as_ref().is_some_and(PublicUrl::is_https);
        (is_https && self.trusted_proxies.is_empty()).then_some(
            "PUBLIC_URL is https, so a reverse proxy is in front, but TRUSTED_PROXIES is not set: \
             all clients share the address of the proxy, and its limits on sign-ins and \
             connections; set TRUSTED_PROXIES to the proxy's address, such as 127.0.0.1",
        )
    }

    /// Whether a path belongs to the web admin or the API.
    fn is_ours(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix(self.prefix()) else { return false };
        ["/admin"].iter().chain(&rollcall_api::PATHS).any(|own| {
            let below = path.strip_prefix(own);
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        })
    }
}

/// Where a browser on this machine reaches what is listened on: "everywhere" is no address to go to.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
mod tests;
