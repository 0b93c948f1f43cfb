//! Outgoing webhooks: where events of users are delivered.

use clap::Args;
use rollcall_api::{EventsSecret, EventsUrl};
use rollcall_domain::UserEventKinds;

use super::{
    secret::parse_secret,
    value::{HEADING, SettingError, parse},
};
use crate::environment::Environment;

const EVENTS_URL: &str = "EVENTS_URL";
const EVENTS_SECRET: &str = "EVENTS_SECRET";
const EVENTS: &str = "EVENTS";

/// Flags for outgoing webhooks.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
pub struct EventsArguments {
    #[allow(rustdoc::bare_urls, reason = "the text is that of --help, too")]
    /// Address to which events of users are sent, such as https://example.org/events. See docs/api.md
    /// [env: EVENTS_URL]
    #[arg(long, value_name = "URL")]
    events_url: Option<String>,
    /// Secret that signs events: whsec_ and 24 to 64 random bytes in base64. Safer in the environment
    /// or a file than in a flag [env: EVENTS_SECRET or EVENTS_SECRET_FILE]
    #[arg(long, value_name = "SECRET")]
    events_secret: Option<String>,
    /// Events that are sent: user.created, user.blocked, user.unblocked, separated by commas
    /// [env: EVENTS] [default: all]
    #[arg(long, value_name = "EVENTS")]
    events: Option<String>,
}

/// Where events are delivered, and which.
#[derive(Debug)]
pub struct EventsSettings {
    /// The receiver.
    pub url: EventsUrl,
    /// What signs them.
    pub secret: EventsSecret,
    /// Which are recorded.
    pub kinds: UserEventKinds,
}

impl EventsArguments {
    /// Where events are delivered; `None` if none are recorded.
    ///
    /// # Errors
    /// If a setting is wrong, or does not go without another one.
    pub fn settings(
        &self,
        environment: &Environment,
    ) -> Result<Option<EventsSettings>, SettingError> {
        let url = parse(EVENTS_URL, self.events_url.as_deref(), environment).transpose()?;
        let secret =
            parse_secret(EVENTS_SECRET, self.events_secret.as_deref(), environment).transpose()?;
        let kinds = parse(EVENTS, self.events.as_deref(), environment).transpose()?;
        match (url, secret, kinds) {
            (Some(url), Some(secret), kinds) => {
                let kinds = kinds.unwrap_or_else(UserEventKinds::all);
                Ok(Some(EventsSettings { url, secret, kinds }))
            }
            (Some(_), None, _) => Err(SettingError::Wrong(EVENTS_SECRET, NEEDS_SECRET.to_owned())),
            (None, Some(_), _) => Err(SettingError::Wrong(EVENTS_SECRET, NEEDS_URL.to_owned())),
            (None, None, Some(_)) => Err(SettingError::Wrong(EVENTS, NEEDS_URL.to_owned())),
            (None, None, None) => Ok(None),
        }
    }
}

const NEEDS_URL: &str = "it has no effect without EVENTS_URL; expected both, or neither";
const NEEDS_SECRET: &str = "EVENTS_URL needs it; expected whsec_ and 24 to 64 random bytes in base64, \
                            such as the output of: echo whsec_$(openssl rand -base64 32)";

#[cfg(test)]
mod tests {
    use super::*;

    fn settings<const N: usize>(
        variables: [(&str, &str); N],
    ) -> Result<Option<EventsSettings>, String> {
        let settings = EventsArguments::default().settings(&variables.into());
        settings.map_err(|error| error.to_string())
    }

    #[test]
    fn events_need_an_address_and_a_secret() {
        const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let url = ("EVENTS_URL", "http://127.0.0.1:9/events");
        assert!(settings([("EVENTS_URL", "")]).unwrap().is_none());
        let all = settings([url, ("EVENTS_SECRET", SECRET)]).unwrap().unwrap();
        assert_eq!(all.kinds, UserEventKinds::all());
        let one = settings([url, ("EVENTS_SECRET", SECRET), ("EVENTS", "user.blocked")]);
        assert_eq!(one.unwrap().unwrap().kinds, "user.blocked".parse().unwrap());
        for (variables, wrong) in [
            ([url, ("EVENTS", "user.blocked")], "EVENTS_SECRET: EVENTS_URL needs it"),
            ([("EVENTS_SECRET", SECRET), ("EVENTS", "")], "EVENTS_SECRET: it has no effect"),
            ([("EVENTS", "user.blocked"), ("EVENTS_SECRET", "")], "EVENTS: it has no effect"),
            ([url, ("EVENTS_SECRET", "hunter2")], "EVENTS_SECRET: it is not a secret"),
            ([("EVENTS_URL", "hunter2"), ("EVENTS", "")], "EVENTS_URL: it is not a web address"),
            ([url, ("EVENTS", "created")], "EVENTS: it has an unknown event"),
        ] {
            let error = settings(variables).unwrap_err();
            assert!(error.starts_with(wrong) && !error.contains("hunter2"), "{error}");
        }
    }
}
