//! What is served over HTTP.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use clap::Args;
use ipnet::{IpNet, Ipv4Net};
use rollcall_admin::ForwardedHeader;
use rollcall_telegram::{ApiUrl, Webhook, WebhookSecret, WebhookUrl};

use super::{
    public_url::PublicUrl,
    value::{SettingError, parse, read},
};
use crate::{environment::Environment, health};

const WEBHOOK_URL: &str = "WEBHOOK_URL";
const WEBHOOK_SECRET: &str = "WEBHOOK_SECRET";
const LISTEN_ADDR: &str = "LISTEN_ADDR";
const PUBLIC_URL: &str = "PUBLIC_URL";
const REQUIRE_SECOND_FACTOR: &str = "REQUIRE_SECOND_FACTOR";
const TRUSTED_PROXIES: &str = "TRUSTED_PROXIES";
const FORWARDED_HEADER: &str = "FORWARDED_HEADER";

/// The ports to which Telegram's own server brings updates (Bot API, "setWebhook").
const TELEGRAMS_PORTS: [u16; 4] = [443, 80, 88, 8443];

/// Flags for what is served over HTTP.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings (flags, else environment variables, else the file .env)")]
pub struct HttpArguments {
    /// Have Telegram bring updates to this address instead of asking for them [env: WEBHOOK_URL]
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Secret token that proves that a webhook request comes from Telegram: 16 to 256 characters of
    /// A-Z a-z 0-9 _ -, such as `openssl rand -hex 32` prints; needed with WEBHOOK_URL, and better kept in the environment [env: WEBHOOK_SECRET]
    #[arg(long, value_name = "SECRET")]
    webhook_secret: Option<String>,
    /// Where to listen for them, for the web admin, and for those who watch the bot (/metrics,
    /// /healthz, /readyz), or off [env: LISTEN_ADDR] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen_addr: Option<String>,
    /// The address at which browsers reach the web admin through a reverse proxy; what stands before
    /// /admin belongs to it [env: PUBLIC_URL] [default: http:// and LISTEN_ADDR]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Trusted reverse proxies, whose FORWARDED_HEADER is used: addresses or networks, separated by
    /// commas [env: TRUSTED_PROXIES]
    #[arg(long, value_name = "ADDRESSES")]
    trusted_proxies: Option<String>,
    /// The header in which they name the client: x-forwarded-for, or forwarded (RFC 7239)
    /// [env: FORWARDED_HEADER] [default: x-forwarded-for]
    #[arg(long, value_name = "NAME")]
    forwarded_header: Option<String>,
    /// Whether every admin must set up a second factor before doing anything else on the web
    /// [env: REQUIRE_SECOND_FACTOR] [default: off]
    #[arg(long, value_name = "on|off")]
    require_second_factor: Option<String>,
}

/// What is served over HTTP, and where.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where to listen; `None` for nowhere, which only goes without a webhook.
    pub address: Option<SocketAddr>,
    /// The address that people see, if it is another one.
    pub public_url: Option<PublicUrl>,
    /// The proxies that are believed when they tell whose request they pass on.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they do.
    pub forwarded_header: ForwardedHeader,
    /// Whether every admin has to have a second factor.
    pub requires_second_factor: bool,
    /// What Telegram is told; `None` where updates are polled.
    pub webhook: Option<Webhook>,
}

impl HttpArguments {
    /// What is served, with updates from the Bot API server at `api_url`.
    ///
    /// # Errors
    /// When a setting is wrong, or does not go with another one.
    pub fn settings(
        &self,
        environment: &Environment,
        api_url: &ApiUrl,
    ) -> Result<HttpSettings, SettingError> {
        let settings = self.without_webhook(environment)?;
        let url: Option<WebhookUrl> =
            parse(WEBHOOK_URL, self.webhook_url.as_deref(), environment).transpose()?;
        let Some(url) = url else { return Ok(settings) };
        if settings.is_admins(url.path()) {
            let reason = "its path is one of the web admin's; expected another one, such as \
                          /webhook";
            return Err(SettingError::Wrong(WEBHOOK_URL, reason.to_owned()));
        }
        if health::PATHS.contains(&url.path()) {
            let reason = format!(
                "its path is one of {}, which are the bot's own; expected another one, such as \
                 /webhook",
                health::PATHS.join(", ")
            );
            return Err(SettingError::Wrong(WEBHOOK_URL, reason));
        }
        if !url.is_https() && api_url.is_telegrams() {
            let reason = "Telegram brings updates by https only; expected a URL such as \
                          https://bot.example.org/webhook";
            return Err(SettingError::Wrong(WEBHOOK_URL, reason.to_owned()));
        }
        if !TELEGRAMS_PORTS.contains(&url.port()) && api_url.is_telegrams() {
            let reason = "Telegram brings updates to the ports 443, 80, 88 and 8443 only; expected \
                          a URL such as https://bot.example.org/webhook";
            return Err(SettingError::Wrong(WEBHOOK_URL, reason.to_owned()));
        }
        let secret: Option<WebhookSecret> =
            parse(WEBHOOK_SECRET, self.webhook_secret.as_deref(), environment).transpose()?;
        let secret = secret.ok_or(SettingError::NoSecret)?;
        if settings.address.is_none() {
            return Err(SettingError::NowhereToListen);
        }
        Ok(HttpSettings { webhook: Some(Webhook { url, secret }), ..settings })
    }

    /// What is served where Telegram brings nothing.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub fn without_webhook(&self, environment: &Environment) -> Result<HttpSettings, SettingError> {
        let Listen(address) = parse(LISTEN_ADDR, self.listen_addr.as_deref(), environment)
            .unwrap_or_else(|| read(LISTEN_ADDR, "127.0.0.1:8080"))?;
        let flag = self.public_url.as_deref();
        let public_url: Option<PublicUrl> = parse(PUBLIC_URL, flag, environment).transpose()?;
        let flag = self.trusted_proxies.as_deref();
        let Proxies(trusted_proxies) =
            parse(TRUSTED_PROXIES, flag, environment).transpose()?.unwrap_or_default();
        let flag = self.forwarded_header.as_deref();
        let HeaderName(forwarded_header) =
            parse(FORWARDED_HEADER, flag, environment).transpose()?.unwrap_or_default();
        let flag = self.require_second_factor.as_deref();
        let OnOrOff(requires_second_factor) =
            parse(REQUIRE_SECOND_FACTOR, flag, environment).transpose()?.unwrap_or_default();
        Ok(HttpSettings {
            address,
            public_url,
            trusted_proxies,
            forwarded_header,
            requires_second_factor,
            webhook: None,
        })
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

    /// Whether a path is the web admin's.
    fn is_admins(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.prefix()).and_then(|path| path.strip_prefix("/admin"));
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
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

/// Addresses and networks, separated by commas.
#[derive(Default)]
struct Proxies(Vec<IpNet>);

impl FromStr for Proxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let parsed = parts.map(|part| {
            let address = part.parse().map(|address: IpAddr| IpNet::from(address));
            address.or_else(|_| part.parse()).map(canonical).map_err(|_| {
                format!(
                    "{part:?} is not an address or a network; expected such as \
                     127.0.0.1,10.0.0.0/8,fd00::/8"
                )
            })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }
}

/// The network of IPv4 that one of IPv6 stands for (RFC 4291, 2.5.5.2): addresses are compared in
/// that form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let v4 = mapped
        .addr()
        .to_ipv4_mapped()
        .and_then(|address| Ipv4Net::new(address, mapped.prefix_len().checked_sub(96)?).ok());
    v4.map_or(network, IpNet::V4)
}

/// The name of a header.
#[derive(Default)]
struct HeaderName(ForwardedHeader);

impl FromStr for HeaderName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self(ForwardedHeader::XForwardedFor)),
            "forwarded" => Ok(Self(ForwardedHeader::Forwarded)),
            _ => {
                Err("it is not a header that is understood; expected x-forwarded-for or forwarded")
            }
        }
    }
}

/// Whether something is on.
#[derive(Default)]
struct OnOrOff(bool);

impl FromStr for OnOrOff {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            other => Err(format!("{other:?} is neither; expected on or off")),
        }
    }
}

/// An address, or none for `off`.
struct Listen(Option<SocketAddr>);

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self(None)),
            text => text.parse().map(|address| Self(Some(address))).map_err(|_| {
                "it is not an address to listen on; \
                 expected one such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080, or off"
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TELEGRAM_API_URL: &str = "TELEGRAM_API_URL";

    /// What the webhook's settings are with these variables, after TELEGRAM_API_URL.
    fn webhook(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let (api_url, variables) = variables.split_first().unwrap();
        let mut environment = [("", ""); 3];
        environment[..variables.len()].copy_from_slice(variables);
        let settings = HttpArguments::default()
            .settings(&environment.into(), &api_url.1.parse().unwrap())
            .map_err(|error| error.to_string())?;
        let address = settings.address.map(|address| address.to_string()).unwrap_or_default();
        Ok(settings.webhook.map(|webhook| format!("{address} {}", webhook.url.path())))
    }

    #[test]
    fn updates_are_polled_where_there_is_no_webhook() {
        let telegram = (TELEGRAM_API_URL, "https://api.telegram.org");
        assert_eq!(webhook(&[telegram]), Ok(None));
        assert_eq!(webhook(&[telegram, (WEBHOOK_SECRET, "not even a secret")]), Ok(None));
        assert_eq!(webhook(&[telegram, (WEBHOOK_URL, ""), (LISTEN_ADDR, "off")]), Ok(None));
    }

    #[test]
    fn a_webhook_has_an_address_and_a_secret() {
        let telegram = (TELEGRAM_API_URL, "https://api.telegram.org");
        let own = (TELEGRAM_API_URL, "http://localhost:8081");
        let url = (WEBHOOK_URL, "https://bot.example.org/under/a/path");
        let secret = (WEBHOOK_SECRET, "s3cret_of_sixteen-");
        let found = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(webhook(&[telegram, url, secret]), found("127.0.0.1:8080 /under/a/path"));
        let everywhere = (LISTEN_ADDR, "[::]:80");
        assert_eq!(webhook(&[telegram, url, secret, everywhere]), found("[::]:80 /under/a/path"));
        let plain = (WEBHOOK_URL, "http://localhost");
        assert_eq!(webhook(&[own, plain, secret]), found("127.0.0.1:8080 /"));
    }

    #[test]
    fn a_webhook_that_cannot_be_is_told_without_its_secrets() {
        let telegram = (TELEGRAM_API_URL, "https://api.telegram.org");
        let url = (WEBHOOK_URL, "https://bot.example.org/private");
        let secret = (WEBHOOK_SECRET, "hunter2-hunter2-");
        for (variables, expected) in [
            (
                vec![telegram, (WEBHOOK_URL, "bot.example.org/private"), secret],
                "WEBHOOK_URL: it is not an address to bring updates to; expected a URL such as https://bot.example.org/webhook",
            ),
            (
                vec![telegram, (WEBHOOK_URL, "http://bot.example.org/private"), secret],
                "WEBHOOK_URL: Telegram brings updates by https only; expected a URL such as https://bot.example.org/webhook",
            ),
            (
                vec![telegram, (WEBHOOK_URL, "https://bot.example.org:8080/private"), secret],
                "WEBHOOK_URL: Telegram brings updates to the ports 443, 80, 88 and 8443 only; expected a URL such as https://bot.example.org/webhook",
            ),
            (
                vec![telegram, url],
                "WEBHOOK_SECRET is not set, and WEBHOOK_URL needs it; expected 16 to 256 characters of A-Z a-z 0-9 _ -",
            ),
            (
                vec![telegram, url, (WEBHOOK_SECRET, "hunter2!")],
                "WEBHOOK_SECRET: it is not a safe webhook secret; expected 16 to 256 characters of A-Z a-z 0-9 _ -, such as `openssl rand -hex 32` prints",
            ),
            (
                vec![telegram, url, secret, (LISTEN_ADDR, "off")],
                "LISTEN_ADDR is off, and WEBHOOK_URL needs it; expected an address such as 127.0.0.1:8080",
            ),
            (
                vec![telegram, (WEBHOOK_URL, "https://bot.example.org/metrics"), secret],
                "WEBHOOK_URL: its path is one of /metrics, /healthz, /readyz, which are the bot's own; expected another one, such as /webhook",
            ),
            (
                vec![telegram, (LISTEN_ADDR, "8080")],
                "LISTEN_ADDR: it is not an address to listen on; expected one such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080, or off",
            ),
        ] {
            assert_eq!(webhook(&variables), Err(expected.to_owned()));
        }
    }

    /// What is served with these variables.
    fn http<const N: usize>(variables: [(&str, &str); N]) -> Result<HttpSettings, SettingError> {
        let telegram = "https://api.telegram.org".parse().unwrap();
        HttpArguments::default().settings(&variables.into(), &telegram)
    }

    #[test]
    fn the_admin_is_where_a_browser_reaches_it() {
        let url = |settings: HttpSettings, listening: &str| {
            settings.admin_url(listening.parse().unwrap())
        };
        assert_eq!(url(http([]).unwrap(), "127.0.0.1:8080"), "http://127.0.0.1:8080/admin");
        assert_eq!(url(http([]).unwrap(), "0.0.0.0:80"), "http://127.0.0.1:80/admin");
        assert_eq!(url(http([]).unwrap(), "[::]:80"), "http://[::1]:80/admin");
        let public = http([(PUBLIC_URL, "https://example.org/rollcall/")]).unwrap();
        assert_eq!(url(public, "127.0.0.1:8080"), "https://example.org/rollcall/admin");
    }

    #[test]
    fn a_webhook_keeps_out_of_the_admin() {
        let with = |path: &str, prefix: &str| {
            let webhook = format!("https://example.org{path}");
            let public = format!("https://example.org{prefix}");
            let secret = (WEBHOOK_SECRET, "s3cret_of_sixteen");
            http([(WEBHOOK_URL, &webhook), (PUBLIC_URL, &public), secret]).map(drop)
        };
        assert!(with("/admin", "").is_err() && with("/x/admin/users", "/x").is_err());
        assert_eq!(with("/administration", ""), Ok(()));
        assert_eq!(with("/admin", "/x"), Ok(()));
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let proxies = |text: &str| http([(TRUSTED_PROXIES, text)]).map(|it| it.trusted_proxies);
        let shown = |text| {
            let proxies = proxies(text).unwrap();
            proxies.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            shown("127.0.0.1, 10.0.0.0/8,::ffff:192.0.2.1,::ffff:10.0.0.0/104,fd00::/8,::/0,"),
            ["127.0.0.1/32", "10.0.0.0/8", "192.0.2.1/32", "10.0.0.0/8", "fd00::/8", "::/0"]
        );
        for wrong in [
            "proxy.example.org",
            "127.0.0.1:8080",
            "[::1]",
            "http://127.0.0.1",
            "10.0.0.0/33",
            "127.0.0.1 10.0.0.1",
            "*",
        ] {
            let message = format!(
                "TRUSTED_PROXIES: {wrong:?} is not an address or a network; expected such as 127.0.0.1,10.0.0.0/8,fd00::/8"
            );
            let proxies = proxies(&format!("::1,{wrong}"));
            assert_eq!(proxies.unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn one_header_names_the_client() {
        let header = |name| http([(FORWARDED_HEADER, name)]).map(|it| it.forwarded_header);
        assert_eq!(header(""), Ok(ForwardedHeader::XForwardedFor));
        assert_eq!(header("X-Forwarded-For"), Ok(ForwardedHeader::XForwardedFor));
        assert_eq!(header("forwarded"), Ok(ForwardedHeader::Forwarded));
        for wrong in ["x-real-ip", "forwarded,x-forwarded-for", "both"] {
            let message = "FORWARDED_HEADER: it is not a header that is understood; expected x-forwarded-for or forwarded";
            assert_eq!(header(wrong).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn an_address_to_listen_on_is_no_url() {
        for wrong in ["http://127.0.0.1:8080", "localhost:8080", "127.0.0.1", "8080", ":8080"] {
            let error = http([(LISTEN_ADDR, wrong)]).unwrap_err().to_string();
            let expected = "LISTEN_ADDR: it is not an address to listen on; expected one such as";
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_second_factor_is_required_where_that_is_on() {
        let required = |text: &str| {
            let settings = http([(REQUIRE_SECOND_FACTOR, text)]);
            settings.map(|it| it.requires_second_factor).map_err(|error| error.to_string())
        };
        assert_eq!(
            [required(""), required("off"), required(" on ")],
            [Ok(false), Ok(false), Ok(true)]
        );
        assert_eq!(
            required("yes"),
            Err("REQUIRE_SECOND_FACTOR: \"yes\" is neither; expected on or off".to_owned())
        );
    }
}
