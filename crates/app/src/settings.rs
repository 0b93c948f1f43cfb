//! Settings: flags, else the environment, else `.env`, else a default. A wrong one is told with
//! its name and what is expected, and never with its value where that may be a secret.

mod http;
mod no_proxy;
mod proxy;
mod public_url;
mod value;

use std::{collections::BTreeSet, str::FromStr};

use clap::Args;
use rollcall_domain::{SystemClock, TelegramId};
use rollcall_nhl::{Client, FetchError, Timing};
use rollcall_repository_diesel::{DatabaseUrl, PoolMode};
use rollcall_telegram::{ApiUrl, BotToken};

use self::value::{parse, read};
pub use self::{
    http::{HttpArguments, HttpSettings},
    proxy::{EXPOSED_TOKEN, Proxy},
    public_url::PublicUrl,
    value::SettingError,
};
use crate::environment::Environment;

const DATABASE_URL: &str = "DATABASE_URL";
const DATABASE_POOL_MODE: &str = "DATABASE_POOL_MODE";
const TELEGRAM_BOT_TOKEN: &str = "TELEGRAM_BOT_TOKEN";
const TELEGRAM_API_URL: &str = "TELEGRAM_API_URL";
const TELEGRAM_PROXY: &str = "TELEGRAM_PROXY";
const ADMIN_TELEGRAM_IDS: &str = "ADMIN_TELEGRAM_IDS";
const SEND_RATE: &str = "SEND_RATE";
const NHL_API_URL: &str = "NHL_API_URL";

/// Flags for the database.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings (flags, else environment variables, else the file .env)")]
pub struct DatabaseArguments {
    /// The database: sqlite://path, sqlite:///absolute/path, or
    /// postgres://user:password@host/database. An SQLite path may end in ?mode=ro (read only),
    /// ?mode=rw (never create it) or ?mode=rwc (create it if missing) [env: DATABASE_URL]
    /// [default: sqlite://rollcall.db]
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
    /// Pool mode of PgBouncer or another pooler in front of PostgreSQL: session, transaction, or
    /// auto, which detects it [env: DATABASE_POOL_MODE] [default: auto]
    #[arg(long, value_name = "MODE", global = true)]
    database_pool_mode: Option<String>,
}

impl DatabaseArguments {
    /// Where the database is, and how its sessions are reached.
    ///
    /// # Errors
    /// When a setting names no database, or no pool mode.
    pub fn database_url(&self, environment: &Environment) -> Result<DatabaseUrl, SettingError> {
        let default = || Ok(DatabaseUrl::sqlite("rollcall.db"));
        let url: DatabaseUrl = parse(DATABASE_URL, self.database_url.as_deref(), environment)
            .unwrap_or_else(default)?;
        let flag = self.database_pool_mode.as_deref();
        let pool_mode: Option<PoolMode> =
            parse(DATABASE_POOL_MODE, flag, environment).transpose()?;
        Ok(url.with_pool_mode(pool_mode.unwrap_or_default()))
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
            let reason = "mode=ro is read-only; expected mode=rw or mode=rwc";
            return Err(SettingError::Wrong(DATABASE_URL, reason.to_owned()));
        }
        Ok(url)
    }
}

/// Flags for Telegram.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings (flags, else environment variables, else the file .env)")]
pub struct TelegramArguments {
    /// The bot's token from @BotFather; safer in the environment, because other users of the machine
    /// can see flags [env: TELEGRAM_BOT_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    telegram_bot_token: Option<String>,
    #[arg(
        long,
        value_name = "URL",
        help = "The Bot API server [env: TELEGRAM_API_URL] [default: https://api.telegram.org]"
    )]
    telegram_api_url: Option<String>,
    /// Proxy for requests to Telegram: http://, https://, socks5:// or socks5h://. A name and password
    /// go before the host as user:password@, and are safer in the environment than in a flag
    /// [env: TELEGRAM_PROXY] [default: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, if set]
    #[arg(long, value_name = "URL")]
    telegram_proxy: Option<String>,
    /// Owners of the bot: Telegram ids, separated by commas. They can use the admin commands, and
    /// sign in to the web admin with /admin [env: ADMIN_TELEGRAM_IDS]
    #[arg(long, value_name = "IDS")]
    admin_telegram_ids: Option<String>,
    /// Most messages per second that the bot sends. 0 removes every limit on sending; only for tests
    /// and simulators, because Telegram's limits apply behind every Bot API server
    /// [env: SEND_RATE] [default: 30]
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
        let proxy = self.proxy(environment, &api_url)?.map(|proxy| proxy.url);
        let flag = self.send_rate.as_deref();
        let SendRate(send_rate) =
            parse(SEND_RATE, flag, environment).transpose()?.unwrap_or_default();
        let flag = self.telegram_bot_token.as_deref();
        let token: Option<BotToken> = parse(TELEGRAM_BOT_TOKEN, flag, environment).transpose()?;
        Ok(token.map(|token| rollcall_telegram::Settings { token, api_url, proxy, send_rate }))
    }

    /// The proxy on the way to a Bot API server, if there is one.
    ///
    /// # Errors
    /// When the setting that has it is wrong.
    pub fn proxy(
        &self,
        environment: &Environment,
        api_url: &ApiUrl,
    ) -> Result<Option<Proxy>, SettingError> {
        match parse(TELEGRAM_PROXY, self.telegram_proxy.as_deref(), environment) {
            Some(url) => Ok(Some(Proxy { setting: TELEGRAM_PROXY, url: url? })),
            None => proxy::from_environment(api_url, environment),
        }
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

/// Flags for the NHL's API.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings (flags, else environment variables, else the file .env)")]
pub struct NhlArguments {
    #[arg(
        long,
        value_name = "URL",
        help = "Address of the NHL's API, the source of the schedule, or off \
                [env: NHL_API_URL] [default: https://api-web.nhle.com]"
    )]
    nhl_api_url: Option<String>,
}

impl NhlArguments {
    /// Where the NHL's API is; `None` where nothing is to be fetched.
    ///
    /// # Errors
    /// When the setting is wrong, or the one that has the proxy.
    pub fn settings(&self, environment: &Environment) -> Result<Option<NhlSettings>, SettingError> {
        let NhlApi(url) = parse(NHL_API_URL, self.nhl_api_url.as_deref(), environment)
            .unwrap_or_else(|| Ok(NhlApi(Some(rollcall_nhl::ApiUrl::default()))))?;
        let Some(url) = url else { return Ok(None) };
        let proxy = proxy::from_environment(&url, environment)?;
        Ok(Some(NhlSettings { url, proxy }))
    }
}

/// How the NHL's API is reached.
#[derive(Clone, Debug)]
pub struct NhlSettings {
    /// The root of its paths.
    pub url: rollcall_nhl::ApiUrl,
    /// Through which proxy; `None` where it is reached directly.
    pub proxy: Option<Proxy>,
}

impl NhlSettings {
    /// A client of the API.
    ///
    /// # Errors
    /// When the machine's TLS cannot be used.
    pub fn client(self) -> Result<Client, FetchError> {
        let proxy = self.proxy.as_ref().map(|proxy| proxy.url.with_credentials());
        Client::new(self.url, proxy, Timing::default(), SystemClock)
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
        assert_eq!(settings.send_rate, 30);
        let url = DatabaseArguments::default().database_url(&[].into()).unwrap();
        assert_eq!(url.to_string(), "sqlite://rollcall.db");
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_empty_is_unset() {
        let environment = [(DATABASE_URL, "sqlite://environment.db")].into();
        let flag = |url: &str| DatabaseArguments {
            database_url: Some(url.to_owned()),
            ..DatabaseArguments::default()
        };
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
        let message = "DATABASE_URL: mode=ro is read-only; expected mode=rw or mode=rwc";
        assert_eq!(url("ro").unwrap_err(), message);
    }

    #[test]
    fn a_pool_mode_goes_with_postgres() {
        let url = |mode: &str| {
            let environment = [(DATABASE_URL, "postgres://h/d"), (DATABASE_POOL_MODE, mode)].into();
            DatabaseArguments::default().database_url(&environment)
        };
        let pool_mode = |mode| match url(mode).unwrap() {
            DatabaseUrl::Postgres { pool_mode, .. } => Some(pool_mode),
            DatabaseUrl::Sqlite { .. } => None,
        };
        assert_eq!(pool_mode(""), Some(PoolMode::Auto));
        assert_eq!(pool_mode("transaction"), Some(PoolMode::Transaction));
        assert_eq!(
            url("statement").unwrap_err().to_string(),
            "DATABASE_POOL_MODE: it is not a pool mode; expected auto, session or transaction"
        );
    }

    #[test]
    fn the_nhl_is_at_its_own_address_elsewhere_or_off() {
        let url = |value: &str| {
            let nhl = NhlArguments::default().settings(&[(NHL_API_URL, value)].into());
            nhl.map(|nhl| nhl.map(|nhl| nhl.url.to_string())).map_err(|error| error.to_string())
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
            let variables = [(ADMIN_TELEGRAM_IDS, ids)].into();
            let admins = TelegramArguments::default().admins(&variables);
            admins.map(|it| it.iter().map(|id| id.get()).collect::<Vec<_>>())
        };
        assert_eq!(admins("7, 5,5,"), Ok(vec![5, 7]));
        assert_eq!(
            admins("5,@ada").unwrap_err().to_string(),
            "ADMIN_TELEGRAM_IDS: \"@ada\" is not a Telegram id; expected ids such as 123456789,987654321"
        );
        assert!(admins("0").is_err());
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

    #[test]
    fn what_is_wrong_is_named_without_its_value() {
        for (variables, message) in [
            (
                [(TELEGRAM_BOT_TOKEN, ""), ("X", "")],
                "TELEGRAM_BOT_TOKEN is not set; expected <digits>:<secret>, as @BotFather gives it (to try it without a token: bot --demo)",
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
