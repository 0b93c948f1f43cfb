//! What `/privacy` says about the owner.

use std::str::FromStr;

use clap::Args;
use rollcall_domain::is_steering;

use super::value::{HEADING, SettingError, parse};
use crate::environment::Environment;

pub(crate) const PRIVACY_CONTACT: &str = "PRIVACY_CONTACT";
const PRIVACY_URL: &str = "PRIVACY_URL";
/// So that the answer to `/privacy` fits into a message.
const MOST_CHARS: usize = 300;

/// Flags for `/privacy`.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
pub struct PrivacyArguments {
    /// Your name and how users reach you, such as "Ada Lovelace, ada@example.org": /privacy and
    /// /developer_info show it. Telegram requires that users can reach you; without it, these commands
    /// answer that there is no contact [env: PRIVACY_CONTACT]
    #[arg(long, value_name = "TEXT")]
    privacy_contact: Option<String>,
    #[allow(rustdoc::bare_urls, reason = "the text is that of --help, too")]
    /// Address of your privacy policy, which /privacy links to, such as https://example.org/privacy
    /// [env: PRIVACY_URL]
    #[arg(long, value_name = "URL")]
    privacy_url: Option<String>,
}

impl PrivacyArguments {
    /// The contact, and the address of a policy.
    ///
    /// # Errors
    /// If one is wrong.
    pub fn settings(
        &self,
        environment: &Environment,
    ) -> Result<(Option<String>, Option<String>), SettingError> {
        let flag = self.privacy_contact.as_deref();
        let contact = parse(PRIVACY_CONTACT, flag, environment).transpose()?;
        let url = parse(PRIVACY_URL, self.privacy_url.as_deref(), environment).transpose()?;
        Ok((contact.map(|Contact(text)| text), url.map(|PolicyUrl(text)| text)))
    }
}

struct Contact(String);

impl FromStr for Contact {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let chars = text.chars().count();
        if chars > MOST_CHARS {
            return Err(format!("it has {chars} characters; expected at most {MOST_CHARS}"));
        }
        if text.chars().any(is_steering) {
            return Err("it has line breaks or invisible characters; expected a line such as Ada \
                        Lovelace, ada@example.org"
                .to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

struct PolicyUrl(String);

impl FromStr for PolicyUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let has_host = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()));
        let is_one_word = !text.chars().any(|c| c.is_whitespace() || is_steering(c));
        if !has_host || !is_one_word || text.chars().count() > MOST_CHARS {
            return Err("it is not the address of a page; expected one such as \
                        https://example.org/privacy"
                .to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &str, value: &str) -> Result<(Option<String>, Option<String>), String> {
        let settings = PrivacyArguments::default().settings(&[(name, value)].into());
        settings.map_err(|error| error.to_string())
    }

    #[test]
    fn a_contact_is_a_line_and_a_policy_has_an_address() {
        let contact = "Ada Lovelace, ada@example.org";
        assert_eq!(settings(PRIVACY_CONTACT, contact), Ok((Some(contact.to_owned()), None)));
        let url = "https://example.org/privacy?lang=en";
        assert_eq!(settings(PRIVACY_URL, url), Ok((None, Some(url.to_owned()))));
        assert_eq!(settings(PRIVACY_CONTACT, ""), Ok((None, None)));
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["Ada\nLovelace", "Ada\u{202e}"] {
            let error = settings(PRIVACY_CONTACT, wrong).unwrap_err();
            assert!(error.starts_with("PRIVACY_CONTACT: it has line breaks"), "{error}");
        }
        let long = settings(PRIVACY_CONTACT, &"a".repeat(301)).unwrap_err();
        assert_eq!(long, "PRIVACY_CONTACT: it has 301 characters; expected at most 300");
        for wrong in ["example.org", "https://", "https:///x", "ftp://example.org", "https://a b"] {
            let error = settings(PRIVACY_URL, wrong).unwrap_err();
            assert!(error.contains("expected one such as https://example.org/privacy"), "{error}");
        }
    }
}
