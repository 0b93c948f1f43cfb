//! The settings of the NHL's API.

use std::str::FromStr;

use clap::Args;
use rollcall_domain::SystemClock;
use rollcall_nhl::{ApiUrl, Client, FetchError, InvalidApiUrl, Timing};

use super::{
    proxy::{self, Proxy},
    value::{HEADING, SettingError, parse},
};
use crate::environment::Environment;

const NHL_API_URL: &str = "NHL_API_URL";

/// Flags for the NHL's API.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
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
    /// If the setting is wrong, or the one that has the proxy.
    pub fn settings(&self, environment: &Environment) -> Result<Option<NhlSettings>, SettingError> {
        let NhlApi(url) = parse(NHL_API_URL, self.nhl_api_url.as_deref(), environment)
            .unwrap_or_else(|| Ok(NhlApi(Some(ApiUrl::default()))))?;
        let Some(url) = url else { return Ok(None) };
        let proxy = proxy::from_environment(&url, environment)?;
        Ok(Some(NhlSettings { url, proxy }))
    }
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
}
