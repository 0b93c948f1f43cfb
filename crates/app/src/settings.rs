//! Settings: flags, else the environment, else `.env`, else a default. A wrong one is told with
//! its name and what is expected, and never with its value where that may be a secret.

use std::{
    collections::BTreeSet,
    fmt::{self, Display},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::http::Uri;
use clap::Args;
use ipnet::IpNet;
use rollcall_domain::TelegramId;
use rollcall_repository_diesel::DatabaseUrl;
use rollcall_telegram::{ApiUrl, BotToken, Webhook, WebhookSecret, WebhookUrl};

use crate::{environment::Environment, health};

const DATABASE_URL: &str = "DATABASE_URL";
const TELEGRAM_BOT_TOKEN: &str = "TELEGRAM_BOT_TOKEN";
const TELEGRAM_API_URL: &str = "TELEGRAM_API_URL";
const ADMIN_TELEGRAM_IDS: &str = "ADMIN_TELEGRAM_IDS";
const WEBHOOK_URL: &str = "WEBHOOK_URL";
const WEBHOOK_SECRET: &str = "WEBHOOK_SECRET";
const LISTEN_ADDR: &str = "LISTEN_ADDR";
const PUBLIC_URL: &str = "PUBLIC_URL";
const TRUSTED_PROXIES: &str = "TRUSTED_PROXIES";
const SEND_RATE: &str = "SEND_RATE";
const NHL_API_URL: &str = "NHL_API_URL";

/// Flags for the database.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings (flags, else environment variables, else the file .env)")]
pub struct DatabaseArguments {
    /// The database: sqlite://path, sqlite:///absolute/path, or
    /// postgres://user:password@host/database. An SQLite path may end in ?mode=ro (read only),
    /// ?mode=rw (do not create it) or ?mode=rwc [env: DATABASE_URL] [default: sqlite://rollcall.db]
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
}

impl DatabaseArguments {
    /// Where the database is.
    ///
    /// # Errors
    /// When the setting names no database.
    pub fn database_url(&self, environment: &Environment) -> Result<DatabaseUrl, SettingError> {
        let default = || Ok(DatabaseUrl::sqlite("rollcall.db"));
        parse(DATABASE_URL, self.database_url.as_deref(), environment).unwrap_or_else(default)
    }

    /// Where the database is, for a program that cannot do without writing to it.
    ///
    /// # Errors
    /// When the setting names no database, or one that is to be read only.
    pub fn writable_database_url(
        &self,
        environment: &Environment,
    ) -> Result<DatabaseUrl, SettingError> {
        let url = self.database_url(environment)?;
        if url.is_read_only() {
            let reason = "mode=ro lets nothing be written; expected mode=rw or mode=rwc";
            return Err(SettingError::Wrong(DATABASE_URL, reason.to_owned()));
        }
        Ok(url)
    }
}

/// Flags for Telegram.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings (flags, else environment variables, else the file .env)")]
pub struct TelegramArguments {
    /// The bot's token, as @BotFather gives it; better kept in the environment, since others can
    /// see flags [env: TELEGRAM_BOT_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    telegram_bot_token: Option<String>,
    #[arg(
        long,
        value_name = "URL",
        help = "The Bot API server [env: TELEGRAM_API_URL] [default: https://api.telegram.org]"
    )]
    telegram_api_url: Option<String>,
    /// Who may use the admin commands, and sign in to the web admin by /admin as owners: Telegram
    /// ids, separated by commas [env: ADMIN_TELEGRAM_IDS]
    #[arg(long, value_name = "IDS")]
    admin_telegram_ids: Option<String>,
    /// How many messages a second the bot may send in all; 0 lifts every limit on sending, for a
    /// Bot API server of one's own [env: SEND_RATE] [default: 30]
    #[arg(long, value_name = "NUMBER")]
    send_rate: Option<String>,
}

impl TelegramArguments {
    /// The settings of the bot.
    ///
    /// # Errors
    /// When one is wrong, or there is no token.
    pub fn settings(
        &self,
        environment: &Environment,
    ) -> Result<rollcall_telegram::Settings, SettingError> {
        self.optional_settings(environment)?.ok_or(SettingError::NoToken)
    }

    /// The settings of the bot; `None` where there is no token.
    ///
    /// # Errors
    /// When one is wrong.
    pub fn optional_settings(
        &self,
        environment: &Environment,
    ) -> Result<Option<rollcall_telegram::Settings>, SettingError> {
        let flag = self.telegram_api_url.as_deref();
        let api_url: ApiUrl = parse(TELEGRAM_API_URL, flag, environment)
            .unwrap_or_else(|| read(TELEGRAM_API_URL, "https://api.telegram.org"))?;
        let admins = self.admins(environment)?;
        let flag = self.send_rate.as_deref();
        let SendRate(send_rate) =
            parse(SEND_RATE, flag, environment).transpose()?.unwrap_or_default();
        let flag = self.telegram_bot_token.as_deref();
        let token: Option<BotToken> = parse(TELEGRAM_BOT_TOKEN, flag, environment).transpose()?;
        Ok(token.map(|token| rollcall_telegram::Settings { token, api_url, admins, send_rate }))
    }

    /// Who may use the admin commands, and sign in to the web admin by Telegram.
    ///
    /// # Errors
    /// When the setting is wrong.
    pub fn admins(&self, environment: &Environment) -> Result<BTreeSet<TelegramId>, SettingError> {
        let flag = self.admin_telegram_ids.as_deref();
        let admins = parse(ADMIN_TELEGRAM_IDS, flag, environment).transpose()?;
        Ok(admins.map(|Admins(admins)| admins).unwrap_or_default())
    }
}

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
    /// The reverse proxies whose X-Forwarded-For is believed: addresses or networks, separated by
    /// commas [env: TRUSTED_PROXIES]
    #[arg(long, value_name = "ADDRESSES")]
    trusted_proxies: Option<String>,
}

/// Flags for the NHL's API.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings (flags, else environment variables, else the file .env)")]
pub struct NhlArguments {
    #[arg(
        long,
        value_name = "URL",
        help = "Where the NHL's API is, from which the schedule comes, or off \
                [env: NHL_API_URL] [default: https://api-web.nhle.com]"
    )]
    nhl_api_url: Option<String>,
}

impl NhlArguments {
    /// Where the NHL's API is; `None` where nothing is to be fetched.
    ///
    /// # Errors
    /// When the setting is wrong.
    pub fn api_url(
        &self,
        environment: &Environment,
    ) -> Result<Option<rollcall_nhl::ApiUrl>, SettingError> {
        let NhlApi(url) = parse(NHL_API_URL, self.nhl_api_url.as_deref(), environment)
            .unwrap_or_else(|| Ok(NhlApi(Some(rollcall_nhl::ApiUrl::default()))))?;
        Ok(url)
    }
}

/// The root of the NHL's API, or none for `off`.
struct NhlApi(Option<rollcall_nhl::ApiUrl>);

impl FromStr for NhlApi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self(None)),
            text => text
                .parse()
                .map(|url| Self(Some(url)))
                .map_err(|error: rollcall_nhl::InvalidApiUrl| format!("{error}, or off")),
        }
    }
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
        Ok(HttpSettings { address, public_url, trusted_proxies, webhook: None })
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

/// The address that people see: an origin as browsers tell it, and what paths begin with. Shown as
/// both, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    prefix: String,
}

impl PublicUrl {
    /// The origin, such as `https://bot.example.org` (RFC 6454: without the scheme's own port).
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What every path begins with, such as `/rollcall`; "" where that is nothing.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read_public_url(text).ok_or(
            "it is not an address that browsers reach; expected a URL such as \
             https://bot.example.org or https://example.org/rollcall",
        )
    }
}

impl Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix)
    }
}

fn read_public_url(text: &str) -> Option<PublicUrl> {
    let uri: Uri = text.parse().ok().filter(|_| !text.contains(['?', '#', '@']))?;
    let own_port = match uri.scheme_str()? {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
    let mut origin = format!("{}://{host}", uri.scheme_str()?);
    match uri.authority()?.as_str().get(host.len()..)? {
        "" => {}
        // A port that is none is not read as one.
        _ => match uri.port_u16()? {
            port if port == own_port => {}
            port => origin.push_str(&format!(":{port}")),
        },
    }
    let prefix = uri.path().trim_end_matches('/');
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
    };
    let is_fine = prefix.is_empty() || prefix.split('/').skip(1).all(is_plain);
    is_fine.then(|| PublicUrl { origin, prefix: prefix.to_owned() })
}

/// Addresses and networks, separated by commas.
#[derive(Default)]
struct Proxies(Vec<IpNet>);

impl FromStr for Proxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let parsed = parts.map(|part| {
            let address = part.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()));
            address.or_else(|_| part.parse()).map_err(|_| {
                format!(
                    "{part:?} is not an address or a network; expected such as \
                     127.0.0.1,10.0.0.0/8,fd00::/8"
                )
            })
        });
        parsed.collect::<Result<_, _>>().map(Self)
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

#[derive(Default)]
struct Admins(BTreeSet<TelegramId>);

impl FromStr for Admins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
        let parsed = ids.map(|id| {
            id.parse().map_err(|_| {
                format!("{id:?} is not a Telegram id; expected ids such as 123456789,987654321")
            })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }
}

/// Messages a second; Telegram allows a bot thirty.
struct SendRate(u32);

impl Default for SendRate {
    fn default() -> Self {
        Self(30)
    }
}

impl FromStr for SendRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| {
            format!(
                "{text:?} is not a number of messages a second; expected a whole number such as \
                 30, or 0 for no limit"
            )
        })
    }
}

/// Reads a setting from its flag, else from the environment; `None` where it is in neither.
fn parse<T: FromStr<Err: Display>>(
    name: &'static str,
    flag: Option<&str>,
    environment: &Environment,
) -> Option<Result<T, SettingError>> {
    let value = flag.filter(|value| !value.is_empty()).or_else(|| environment.get(name))?;
    Some(read(name, value))
}

fn read<T: FromStr<Err: Display>>(name: &'static str, value: &str) -> Result<T, SettingError> {
    value.trim().parse().map_err(|error: T::Err| SettingError::Wrong(name, error.to_string()))
}

/// A setting that is wrong or missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The setting's name, and what is wrong with it and expected instead.
    #[error("{0}: {1}")]
    Wrong(&'static str, String),
    /// The bot has no token.
    #[error(
        "TELEGRAM_BOT_TOKEN is not set; expected <digits>:<secret>, as @BotFather gives it \
         (to look around without one: bot --demo)"
    )]
    NoToken,
    /// There is a webhook, and no secret for it.
    #[error(
        "WEBHOOK_SECRET is not set, and WEBHOOK_URL needs it; \
         expected 16 to 256 characters of A-Z a-z 0-9 _ -"
    )]
    NoSecret,
    /// There is a webhook, and no address for it.
    #[error(
        "LISTEN_ADDR is off, and WEBHOOK_URL needs it; expected an address such as 127.0.0.1:8080"
    )]
    NowhereToListen,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "123:hunter2";

    fn settings<const N: usize>(
        variables: [(&str, &str); N],
    ) -> Result<rollcall_telegram::Settings, SettingError> {
        TelegramArguments::default().settings(&variables.into())
    }

    #[test]
    fn defaults_are_sensible() {
        let settings = settings([(TELEGRAM_BOT_TOKEN, TOKEN)]).unwrap();
        assert_eq!(settings.api_url.to_string(), "https://api.telegram.org");
        assert!(settings.admins.is_empty());
        assert_eq!(settings.send_rate, 30);
        let url = DatabaseArguments::default().database_url(&[].into()).unwrap();
        assert_eq!(url.to_string(), "sqlite://rollcall.db");
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_empty_is_unset() {
        let environment = [(DATABASE_URL, "sqlite://environment.db")].into();
        let flag = |url: &str| DatabaseArguments { database_url: Some(url.to_owned()) };
        let url = |arguments: DatabaseArguments, environment: &Environment| {
            arguments.database_url(environment).unwrap().to_string()
        };
        assert_eq!(url(flag("sqlite://flag.db"), &environment), "sqlite://flag.db");
        assert_eq!(url(flag(""), &environment), "sqlite://environment.db");
        assert_eq!(url(flag(""), &[(DATABASE_URL, "")].into()), "sqlite://rollcall.db");
    }

    #[test]
    fn a_program_that_writes_refuses_a_database_to_read() {
        let arguments = DatabaseArguments::default();
        let url = |mode: &str| {
            let url = format!("sqlite://q.db?mode={mode}");
            let url = arguments.writable_database_url(&[(DATABASE_URL, url.as_str())].into());
            url.map(|url| url.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(url("rw").unwrap(), "sqlite://q.db?mode=rw");
        let message = "DATABASE_URL: mode=ro lets nothing be written; expected mode=rw or mode=rwc";
        assert_eq!(url("ro").unwrap_err(), message);
    }

    #[test]
    fn the_nhl_is_at_its_own_address_elsewhere_or_off() {
        let url = |value: &str| {
            let url = NhlArguments::default().api_url(&[(NHL_API_URL, value)].into());
            url.map(|url| url.map(|url| url.to_string())).map_err(|error| error.to_string())
        };
        assert_eq!(url("").unwrap().unwrap(), "https://api-web.nhle.com");
        assert_eq!(url("http://127.0.0.1:5000/").unwrap().unwrap(), "http://127.0.0.1:5000");
        assert_eq!(url("off").unwrap(), None);
        assert_eq!(
            url("nhle.com").unwrap_err(),
            "NHL_API_URL: it is not the root of an API; expected a URL such as \
             https://api-web.nhle.com, or off"
        );
    }

    #[test]
    fn admins_are_a_list_of_ids() {
        let admins = |ids| {
            let settings = settings([(TELEGRAM_BOT_TOKEN, TOKEN), (ADMIN_TELEGRAM_IDS, ids)]);
            settings.map(|it| it.admins.iter().map(|id| id.get()).collect::<Vec<_>>())
        };
        assert_eq!(admins("7, 5,5,"), Ok(vec![5, 7]));
        assert_eq!(
            admins("5,@ada").unwrap_err().to_string(),
            "ADMIN_TELEGRAM_IDS: \"@ada\" is not a Telegram id; expected ids such as 123456789,987654321"
        );
        assert!(admins("0").is_err());
    }

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

    #[test]
    fn the_rate_is_a_whole_number() {
        let rate = |rate| {
            settings([(TELEGRAM_BOT_TOKEN, TOKEN), (SEND_RATE, rate)]).map(|it| it.send_rate)
        };
        assert_eq!(rate("0"), Ok(0));
        assert_eq!(rate("1000"), Ok(1000));
        assert_eq!(rate(""), Ok(30));
        for wrong in ["-1", "1.5", "fast", "99999999999"] {
            assert_eq!(
                rate(wrong).unwrap_err().to_string(),
                format!(
                    "SEND_RATE: {wrong:?} is not a number of messages a second; expected a whole number such as 30, or 0 for no limit"
                )
            );
        }
    }

    /// What is served with these variables.
    fn http<const N: usize>(variables: [(&str, &str); N]) -> Result<HttpSettings, SettingError> {
        let telegram = "https://api.telegram.org".parse().unwrap();
        HttpArguments::default().settings(&variables.into(), &telegram)
    }

    #[test]
    fn a_public_url_is_an_origin_and_what_paths_begin_with() {
        for (url, origin, prefix) in [
            ("https://bot.example.org", "https://bot.example.org", ""),
            ("https://Bot.Example.org:443/", "https://bot.example.org", ""),
            ("http://[::1]:8080/roll-call/x/", "http://[::1]:8080", "/roll-call/x"),
        ] {
            let read = http([(PUBLIC_URL, url)]).unwrap().public_url.unwrap();
            assert_eq!((read.origin(), read.prefix()), (origin, prefix));
        }
        for url in [
            "bot.example.org",
            "ftp://example.org",
            "https://",
            "https://user@example.org",
            "https://example.org:x",
            "https://example.org/?a",
            "https://example.org/#a",
            "https://example.org//a",
            "https://example.org/../a",
            "https://example.org/{a}",
        ] {
            let message = "PUBLIC_URL: it is not an address that browsers reach; expected a URL such as https://bot.example.org or https://example.org/rollcall";
            assert_eq!(http([(PUBLIC_URL, url)]).unwrap_err().to_string(), message, "{url}");
        }
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
        let proxies = |text| http([(TRUSTED_PROXIES, text)]).map(|it| it.trusted_proxies);
        let shown = |text| {
            let proxies = proxies(text).unwrap();
            proxies.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            shown("127.0.0.1, 10.0.0.0/8,::ffff:192.0.2.1,fd00::/8,"),
            ["127.0.0.1/32", "10.0.0.0/8", "192.0.2.1/32", "fd00::/8"]
        );
        assert_eq!(
            proxies("proxy.example.org").unwrap_err().to_string(),
            "TRUSTED_PROXIES: \"proxy.example.org\" is not an address or a network; expected such as 127.0.0.1,10.0.0.0/8,fd00::/8"
        );
    }

    #[test]
    fn what_is_wrong_is_named_without_its_value() {
        for (variables, message) in [
            (
                [(TELEGRAM_BOT_TOKEN, ""), ("X", "")],
                "TELEGRAM_BOT_TOKEN is not set; expected <digits>:<secret>, as @BotFather gives it (to look around without one: bot --demo)",
            ),
            (
                [(TELEGRAM_BOT_TOKEN, "hunter2"), ("X", "")],
                "TELEGRAM_BOT_TOKEN: it is not a bot token; expected <digits>:<secret>, as @BotFather gives it",
            ),
            (
                [(TELEGRAM_BOT_TOKEN, TOKEN), (TELEGRAM_API_URL, "hunter2")],
                "TELEGRAM_API_URL: it is not the address of a Bot API server; expected a URL such as https://api.telegram.org",
            ),
        ] {
            assert_eq!(settings(variables).unwrap_err().to_string(), message);
        }
        let url = DatabaseArguments::default()
            .database_url(&[(DATABASE_URL, "mysql://root:hunter2@h/d")].into())
            .unwrap_err()
            .to_string();
        assert!(url.starts_with("DATABASE_URL: the scheme mysql:// is not supported; expected"));
        assert!(!url.contains("hunter2"));
    }
}
