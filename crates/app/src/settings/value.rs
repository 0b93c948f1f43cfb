//! The value of a setting, and what is wrong with it.

use std::{fmt::Display, str::FromStr};

use crate::environment::Environment;

/// The heading of the settings in `--help`.
pub(super) const HEADING: &str = "Settings (flags, else environment variables, else the file .env)";

/// Reads a setting from its flag, else from the environment; `None` where it is in neither.
pub(super) fn parse<T: FromStr<Err: Display>>(
    name: &'static str,
    flag: Option<&str>,
    environment: &Environment,
) -> Option<Result<T, SettingError>> {
    let value = flag.filter(|value| !value.is_empty()).or_else(|| environment.get(name))?;
    Some(read(name, value))
}

pub(super) fn read<T: FromStr<Err: Display>>(
    name: &'static str,
    value: &str,
) -> Result<T, SettingError> {
    value.trim().parse().map_err(|error: T::Err| SettingError::Wrong(name, error.to_string()))
}

/// Whether something is on.
#[derive(Default)]
pub(super) struct OnOrOff(pub(super) bool);

impl FromStr for OnOrOff {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            other => Err(format!("{other:?} is not valid; expected on or off")),
        }
    }
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
         (to try it without a token: bot --demo)"
    )]
    NoToken,
    /// There is a webhook, and no secret for it.
    #[error(
        "WEBHOOK_SECRET is not set, but WEBHOOK_URL requires it; \
         expected 16 to 256 characters of A-Z a-z 0-9 _ -"
    )]
    NoSecret,
    /// There is a webhook, and no address for it.
    #[error(
        "LISTEN_ADDR is off, but WEBHOOK_URL requires it; expected an address such as \
         127.0.0.1:8080"
    )]
    NowhereToListen,
}
