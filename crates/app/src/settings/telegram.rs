//! The settings of the bot at Telegram.

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use clap::Args;
use rollcall_domain::TelegramId;
use rollcall_service::LeaseTimes;
use rollcall_telegram::{ApiUrl, BotToken};

use super::{
    proxy::{self, Proxy},
    secret::parse_secret,
    value::{HEADING, OnOrOff, SettingError, parse, read},
};
use crate::environment::Environment;

const TELEGRAM_BOT_TOKEN: &str = "TELEGRAM_BOT_TOKEN";
pub(crate) const TELEGRAM_API_URL: &str = "TELEGRAM_API_URL";
const TELEGRAM_PROXY: &str = "TELEGRAM_PROXY";
const ADMIN_TELEGRAM_IDS: &str = "ADMIN_TELEGRAM_IDS";
const COUNT_ADMINS: &str = "COUNT_ADMINS";
const SEND_RATE: &str = "SEND_RATE";
const BROADCAST_LEASE: &str = "BROADCAST_LEASE";

/// Flags for Telegram.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
pub struct TelegramArguments {
    /// The bot's token from @BotFather; safer in the environment or a file, because other users of the
    /// machine can see flags [env: TELEGRAM_BOT_TOKEN or TELEGRAM_BOT_TOKEN_FILE]
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
    /// [env: TELEGRAM_PROXY or TELEGRAM_PROXY_FILE] [default: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, if set]
    #[arg(long, value_name = "URL")]
    telegram_proxy: Option<String>,
    /// Owners of the bot: Telegram ids, separated by commas. They can use the admin commands, and
    /// sign in to the web admin with /admin. Without it, the log shows a claim code until the bot has an
    /// owner [env: ADMIN_TELEGRAM_IDS]
    #[arg(long, value_name = "IDS")]
    admin_telegram_ids: Option<String>,
    /// Whether admins with a Telegram id count in the figures: on, or off to leave them out from this
    /// start on [env: COUNT_ADMINS] [default: on]
    #[arg(long, value_name = "on|off")]
    count_admins: Option<String>,
    /// Most messages per second that the bot sends. 0 removes every limit on sending; only for tests
    /// and simulators, because Telegram's limits apply behind every Bot API server
    /// [env: SEND_RATE] [default: 30]
    #[arg(long, value_name = "NUMBER")]
    send_rate: Option<String>,
    /// Seconds after which another process sends the broadcasts, if the one that does shows no sign of
    /// life [env: BROADCAST_LEASE] [default: 10]
    #[arg(long, value_name = "SECONDS")]
    broadcast_lease: Option<String>,
}

impl TelegramArguments {
    /// The settings of the bot.
    ///
    /// # Errors
    /// If one is wrong, or there is no token.
    pub fn settings(
        &self,
        environment: &Environment,
    ) -> Result<rollcall_telegram::Settings, SettingError> {
        self.optional_settings(environment)?.ok_or(SettingError::NoToken)
    }

    /// The settings of the bot; `None` where there is no token.
    ///
    /// # Errors
    /// If one is wrong.
    pub fn optional_settings(
        &self,
        environment: &Environment,
    ) -> Result<Option<rollcall_telegram::Settings>, SettingError> {
        let flag = self.telegram_api_url.as_deref();
        let api_url: ApiUrl = parse(TELEGRAM_API_URL, flag, environment)
            .unwrap_or_else(|| read(TELEGRAM_API_URL, "https://api.telegram.org"))?;
        let proxy = self.proxy(environment, &api_url)?.map(|proxy| proxy.url);
        let send_rate = self.send_rate(environment)?;
        let flag = self.telegram_bot_token.as_deref();
        let token: Option<BotToken> =
            parse_secret(TELEGRAM_BOT_TOKEN, flag, environment).transpose()?;
        Ok(token.map(|token| rollcall_telegram::Settings { token, api_url, proxy, send_rate }))
    }

    /// How many messages a second the bot sends at most; 0 without limits.
    ///
    /// # Errors
    /// If the setting is wrong.
    pub fn send_rate(&self, environment: &Environment) -> Result<u32, SettingError> {
        let rate = parse(SEND_RATE, self.send_rate.as_deref(), environment).transpose()?;
        let SendRate(rate) = rate.unwrap_or_default();
        Ok(rate)
    }

    /// When the lease of the process that sends broadcasts is renewed and taken over.
    ///
    /// # Errors
    /// If the setting is wrong.
    pub fn lease_times(&self, environment: &Environment) -> Result<LeaseTimes, SettingError> {
        let flag = self.broadcast_lease.as_deref();
        let lease = parse(BROADCAST_LEASE, flag, environment).transpose()?;
        Ok(lease
            .map_or_else(LeaseTimes::default, |BroadcastLease(lasts)| LeaseTimes::lasting(lasts)))
    }

    /// The proxy on the way to a Bot API server, if there is one.
    ///
    /// # Errors
    /// If the setting that has it is wrong.
    pub fn proxy(
        &self,
        environment: &Environment,
        api_url: &ApiUrl,
    ) -> Result<Option<Proxy>, SettingError> {
        match parse_secret(TELEGRAM_PROXY, self.telegram_proxy.as_deref(), environment) {
            Some(url) => Ok(Some(Proxy { setting: TELEGRAM_PROXY, url: url? })),
            None => proxy::from_environment(api_url, environment),
        }
    }

    /// Who may use the admin commands, and sign in to the web admin by Telegram.
    ///
    /// # Errors
    /// If the setting is wrong.
    pub fn admins(&self, environment: &Environment) -> Result<BTreeSet<TelegramId>, SettingError> {
        let flag = self.admin_telegram_ids.as_deref();
        let admins = parse(ADMIN_TELEGRAM_IDS, flag, environment).transpose()?;
        Ok(admins.map(|Admins(admins)| admins).unwrap_or_default())
    }

    /// Whether admins count in the figures.
    ///
    /// # Errors
    /// If the setting is wrong.
    pub fn counts_admins(&self, environment: &Environment) -> Result<bool, SettingError> {
        let flag = self.count_admins.as_deref();
        let counts = parse(COUNT_ADMINS, flag, environment).transpose()?;
        Ok(counts.is_none_or(|OnOrOff(counts)| counts))
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

/// How long a lease lasts.
struct BroadcastLease(Duration);

impl FromStr for BroadcastLease {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = text.parse().ok().filter(|seconds| (1..=3600).contains(seconds));
        seconds.map(Duration::from_secs).map(Self).ok_or_else(|| {
            format!("{text:?} is not a number of seconds; expected a whole number from 1 to 3600")
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
    fn admins_count_unless_that_is_off() {
        let counts = |value| {
            let variables = [(COUNT_ADMINS, value)].into();
            TelegramArguments::default().counts_admins(&variables)
        };
        assert_eq!(counts(""), Ok(true));
        assert_eq!(counts("on"), Ok(true));
        assert_eq!(counts("off"), Ok(false));
        for wrong in ["no", "OFF", "0"] {
            assert_eq!(
                counts(wrong).unwrap_err().to_string(),
                format!("COUNT_ADMINS: {wrong:?} is not valid; expected on or off")
            );
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

    #[test]
    fn wrong_values_are_reported_without_the_value() {
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
    }
}
