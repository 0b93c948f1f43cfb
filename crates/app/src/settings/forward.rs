//! The bot behind, to which updates are forwarded.

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use rollcall_conversation::OwnCommands;
use rollcall_telegram::{ForwardSecret, ForwardUrl, Forwarding};

use super::{
    http::Listen,
    secret::parse_secret,
    value::{HEADING, SettingError, parse},
};
use crate::environment::Environment;

const API_PROXY_ADDR: &str = "API_PROXY_ADDR";
const FORWARD_URL: &str = "FORWARD_URL";
const FORWARD_SECRET: &str = "FORWARD_SECRET";
const FORWARD_GIVE_UP_AFTER: &str = "FORWARD_GIVE_UP_AFTER";
const OWN_COMMANDS: &str = "OWN_COMMANDS";

/// Flags for the bot behind.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
pub struct ForwardArguments {
    /// Address of a Bot API server for your own bot, such as 127.0.0.1:8081: your bot uses it instead of
    /// api.telegram.org, and Rollcall stores each update and answers no users itself
    /// [env: API_PROXY_ADDR]
    #[arg(long, value_name = "ADDRESS")]
    api_proxy_addr: Option<String>,
    #[allow(rustdoc::bare_urls, reason = "the text is that of --help, too")]
    /// Webhook of your own bot: Rollcall stores each update and then delivers it there, as Telegram
    /// would, and answers no users itself. Such as http://127.0.0.1:3000/hook [env: FORWARD_URL]
    #[arg(long, value_name = "URL")]
    forward_url: Option<String>,
    /// Secret token that your own bot expects in each request: the secret_token of its setWebhook. Safer
    /// in the environment or a file than in a flag [env: FORWARD_SECRET or FORWARD_SECRET_FILE]
    #[arg(long, value_name = "SECRET")]
    forward_secret: Option<String>,
    /// How long your own bot may refuse an update although it accepts others, such as 90s or 5min.
    /// Then the update is set aside: see manage quarantine [env: FORWARD_GIVE_UP_AFTER]
    /// [default: 1min]
    #[arg(long, value_name = "DURATION")]
    forward_give_up_after: Option<String>,
    /// Commands that Rollcall answers itself, and does not deliver to your own bot, such as
    /// /privacy,/mydata,/deletemydata,/stats, or off [env: OWN_COMMANDS]
    /// [default: /privacy,/mydata,/deletemydata]
    #[arg(long, value_name = "COMMANDS")]
    own_commands: Option<String>,
}

/// The bot behind, and what the bundled bot answers beside it.
pub struct ForwardSettings {
    /// How the bot behind gets the updates.
    pub way: BehindWay,
    /// What the bundled bot answers.
    pub own_commands: OwnCommands,
}

/// How the bot behind gets the updates.
pub enum BehindWay {
    /// At one address.
    Forward(Forwarding),
    /// As it asks a Bot API server for.
    Proxy {
        /// Where that server listens.
        address: SocketAddr,
        /// How long an update is delivered again that its webhook refuses although it accepts others.
        give_up_after: Duration,
    },
}

impl ForwardArguments {
    /// The bot behind; `None` without one.
    ///
    /// # Errors
    /// If a setting is wrong, or does not go without another one.
    pub fn settings(
        &self,
        environment: &Environment,
    ) -> Result<Option<ForwardSettings>, SettingError> {
        let way = match (self.proxy_address(environment)?, self.forwarding(environment)?) {
            (Some(_), Some(_)) => {
                return Err(SettingError::Wrong(API_PROXY_ADDR, NOT_BOTH.to_owned()));
            }
            (Some(address), None) => {
                let GiveUpAfter(give_up_after) =
                    self.give_up_after(environment)?.unwrap_or_default();
                Some(BehindWay::Proxy { address, give_up_after })
            }
            (None, Some(forwarding)) => Some(BehindWay::Forward(forwarding)),
            (None, None) => None,
        };
        let own = parse(OWN_COMMANDS, self.own_commands.as_deref(), environment).transpose()?;
        match (way, own) {
            (Some(way), own) => {
                let own_commands = own.unwrap_or_default();
                Ok(Some(ForwardSettings { way, own_commands }))
            }
            (None, None) => Ok(None),
            (None, Some(_)) => Err(SettingError::Wrong(OWN_COMMANDS, NEEDS_BOT.to_owned())),
        }
    }

    /// Where the Bot API server for the bot behind listens, if there is one.
    fn proxy_address(&self, environment: &Environment) -> Result<Option<SocketAddr>, SettingError> {
        let flag = self.api_proxy_addr.as_deref();
        let address = parse(API_PROXY_ADDR, flag, environment).transpose()?;
        Ok(address.and_then(|Listen(address)| address))
    }

    fn give_up_after(
        &self,
        environment: &Environment,
    ) -> Result<Option<GiveUpAfter>, SettingError> {
        parse(FORWARD_GIVE_UP_AFTER, self.forward_give_up_after.as_deref(), environment).transpose()
    }

    /// Where updates are delivered; `None` without a bot behind.
    ///
    /// # Errors
    /// If a setting is wrong, or does not go without another one.
    pub fn forwarding(
        &self,
        environment: &Environment,
    ) -> Result<Option<Forwarding>, SettingError> {
        let flag = self.forward_url.as_deref();
        let url: Option<ForwardUrl> = parse(FORWARD_URL, flag, environment).transpose()?;
        let flag = self.forward_secret.as_deref();
        let secret: Option<ForwardSecret> =
            parse_secret(FORWARD_SECRET, flag, environment).transpose()?;
        let give_up = self.give_up_after(environment)?;
        let Some(url) = url else {
            return match (secret, give_up) {
                (Some(_), _) => Err(SettingError::Wrong(FORWARD_SECRET, NEEDS_URL.to_owned())),
                (None, Some(_)) if self.proxy_address(environment)?.is_none() => {
                    Err(SettingError::Wrong(FORWARD_GIVE_UP_AFTER, NEEDS_BOT.to_owned()))
                }
                (None, _) => Ok(None),
            };
        };
        let GiveUpAfter(give_up_after) = give_up.unwrap_or_default();
        Ok(Some(Forwarding { url, secret, give_up_after }))
    }
}

const NEEDS_BOT: &str =
    "it has no effect without FORWARD_URL or API_PROXY_ADDR; expected one of them, or neither";
const NOT_BOTH: &str = "it does not go with FORWARD_URL; expected one of them: with API_PROXY_ADDR, \
                        your bot sets its webhook itself";
const NEEDS_URL: &str = "it has no effect without FORWARD_URL; expected both, or neither";

/// How long an update is delivered again that the bot behind refuses.
struct GiveUpAfter(Duration);

impl Default for GiveUpAfter {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

impl std::str::FromStr for GiveUpAfter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let seconds = match unit.trim() {
            "" | "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            _ => 0,
        };
        let number: u64 = number.parse().unwrap_or_default();
        match number.checked_mul(seconds).filter(|it| (1..=86_400).contains(it)) {
            Some(seconds) => Ok(Self(Duration::from_secs(seconds))),
            None => Err(format!(
                "{text:?} is not a duration; expected 1 s to 24 h, such as 90s, 5min or 1h"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings<const N: usize>(
        variables: [(&str, &str); N],
    ) -> Result<Option<ForwardSettings>, String> {
        let settings = ForwardArguments::default().settings(&variables.into());
        settings.map_err(|error| error.to_string())
    }

    #[test]
    fn a_bot_behind_is_optional() {
        assert!(settings([("FORWARD_URL", "")]).unwrap().is_none());
        let ForwardSettings { way, own_commands } =
            settings([("FORWARD_URL", "http://127.0.0.1:3000/hook")]).unwrap().unwrap();
        let BehindWay::Forward(forwarding) = way else { panic!("no forwarding") };
        assert_eq!(forwarding.give_up_after, Duration::from_secs(60));
        assert_eq!(forwarding.secret, None);
        assert_eq!(own_commands, OwnCommands::default());
    }

    #[test]
    fn a_bot_api_server_takes_the_place_of_an_address() {
        let proxy = settings([(API_PROXY_ADDR, ":8081"), (FORWARD_GIVE_UP_AFTER, "5min")]);
        let Some(ForwardSettings { way: BehindWay::Proxy { address, give_up_after }, .. }) =
            proxy.unwrap()
        else {
            panic!("no server")
        };
        assert_eq!(address.to_string(), "127.0.0.1:8081");
        assert_eq!(give_up_after, Duration::from_secs(300));
        assert!(settings([(API_PROXY_ADDR, "off")]).unwrap().is_none());
        let both = [(API_PROXY_ADDR, ":8081"), ("FORWARD_URL", "http://127.0.0.1:3000/hook")];
        assert_eq!(
            settings(both).map(|_| ()).unwrap_err(),
            format!("{API_PROXY_ADDR}: {NOT_BOTH}")
        );
        let error = settings([(API_PROXY_ADDR, "8081")]).map(|_| ()).unwrap_err();
        assert!(error.starts_with("API_PROXY_ADDR: it is not an address to listen on"), "{error}");
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("1min", 60), ("2 m", 120), ("1h", 3600)] {
            assert_eq!(text.parse::<GiveUpAfter>().unwrap().0.as_secs(), seconds, "{text}");
        }
        for wrong in ["0", "-1", "x", "1d", "25h", ""] {
            assert!(wrong.parse::<GiveUpAfter>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn settings_without_an_address_are_refused() {
        for name in [FORWARD_SECRET, FORWARD_GIVE_UP_AFTER, OWN_COMMANDS] {
            let value = if name == OWN_COMMANDS { "/stats" } else { "60" };
            let error = settings([(name, value)]).map(|_| ()).unwrap_err();
            let needs = if name == FORWARD_SECRET { NEEDS_URL } else { NEEDS_BOT };
            assert_eq!(error, format!("{name}: {needs}"));
        }
        let error = settings([("FORWARD_URL", "hunter2")]).map(|_| ()).unwrap_err();
        assert!(error.contains("such as http://127.0.0.1:3000/hook") && !error.contains("hunter2"));
    }
}
