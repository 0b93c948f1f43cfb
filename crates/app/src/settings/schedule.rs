//! Settings of the schedule, and of the NHL's API, which it comes from.

use std::str::FromStr;

use clap::Args;
use rollcall_domain::SystemClock;
use rollcall_nhl::{ApiUrl, Client, FetchError, InvalidApiUrl, Timing};

use super::{
    proxy::{self, Proxy},
    value::{HEADING, SettingError, parse},
};
use crate::environment::Environment;

const SCHEDULE: &str = "SCHEDULE";
const NHL_API_URL: &str = "NHL_API_URL";

/// Flags for the schedule.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
pub struct ScheduleArguments {
    /// The bundled example: nhl for the NHL's games with /schedule, or off for a bot without them
    /// [env: SCHEDULE] [default: nhl]
    #[arg(long, value_name = "nhl|off")]
    schedule: Option<String>,
    #[arg(
        long,
        value_name = "URL",
        help = "Address of the NHL's API, the source of the schedule, or off \
                [env: NHL_API_URL] [default: https://api-web.nhle.com]"
    )]
    nhl_api_url: Option<String>,
}

impl ScheduleArguments {
    /// The schedule; `None` for a bot without it. `NHL_API_URL` is then ignored.
    ///
    /// # Errors
    /// If a setting is wrong.
    pub fn settings(
        &self,
        environment: &Environment,
    ) -> Result<Option<ScheduleSettings>, SettingError> {
        match parse(SCHEDULE, self.schedule.as_deref(), environment).transpose()? {
            Some(Source::Off) => Ok(None),
            Some(Source::Nhl) | None => Ok(Some(ScheduleSettings { nhl: self.nhl(environment)? })),
        }
    }

    /// Where the NHL's API is; `None` where nothing is to be fetched.
    fn nhl(&self, environment: &Environment) -> Result<Option<NhlSettings>, SettingError> {
        let NhlApi(url) = parse(NHL_API_URL, self.nhl_api_url.as_deref(), environment)
            .unwrap_or_else(|| Ok(NhlApi(Some(ApiUrl::default()))))?;
        let Some(url) = url else { return Ok(None) };
        let proxy = proxy::from_environment(&url, environment)?;
        Ok(Some(NhlSettings { url, proxy }))
    }
}

/// The schedule of a bot that has one.
#[derive(Clone, Debug)]
pub struct ScheduleSettings {
    /// Where it comes from; `None` where nothing is to be fetched.
    pub nhl: Option<NhlSettings>,
}

/// How the NHL's API is reached.
#[derive(Clone, Debug)]
pub struct NhlSettings {
    /// The root of its paths.
    pub url: ApiUrl,
    /// Through which proxy; `None` where it is reached directly.
    pub proxy: Option<Proxy>,
}

impl NhlSettings {
    /// A client of the API.
    ///
    /// # Errors
    /// If the machine's TLS cannot be used.
    pub fn client(self) -> Result<Client, FetchError> {
        let proxy = self.proxy.as_ref().map(|proxy| proxy.url.with_credentials());
        Client::new(self.url, proxy, Timing::default(), SystemClock)
    }
}

enum Source {
    Off,
    Nhl,
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            "nhl" => Ok(Self::Nhl),
            _ => Err(format!("{text:?} is not a schedule; expected nhl or off")),
        }
    }
}

/// The root of the NHL's API, or none for `off`.
struct NhlApi(Option<ApiUrl>);

impl FromStr for NhlApi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self(None)),
            text => text
                .parse()
                .map(|url| Self(Some(url)))
                .map_err(|error: InvalidApiUrl| format!("{error}, or off")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings<const N: usize>(
        variables: [(&str, &str); N],
    ) -> Result<Option<ScheduleSettings>, String> {
        let settings = ScheduleArguments::default().settings(&variables.into());
        settings.map_err(|error| error.to_string())
    }

    #[test]
    fn the_nhl_is_at_its_own_address_elsewhere_or_off() {
        let url = |value: &str| {
            let schedule = settings([(NHL_API_URL, value)]);
            schedule.map(|it| it.unwrap().nhl.map(|nhl| nhl.url.to_string()))
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
    fn there_is_a_schedule_unless_it_is_off() {
        for value in ["", "nhl", " nhl "] {
            assert!(settings([(SCHEDULE, value)]).unwrap().is_some(), "{value:?}");
        }
        assert!(settings([(SCHEDULE, "off"), (NHL_API_URL, "nhle.com")]).unwrap().is_none());
        for wrong in ["on", "NHL", "khl", "off,nhl"] {
            let error = format!("SCHEDULE: {wrong:?} is not a schedule; expected nhl or off");
            assert_eq!(settings([(SCHEDULE, wrong)]).unwrap_err(), error);
        }
    }
}
