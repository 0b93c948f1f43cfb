//! Addresses that a message links to.

use super::{Placeholder, Variable};
use crate::TelegramUser;

/// The most bytes of an address.
const MAX_BYTES: usize = 2048;

/// A part of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkPart {
    /// A part that is the same for all users.
    Text(String),
    /// A part of the user's profile.
    Variable(Placeholder),
}

impl LinkPart {
    pub(super) fn variable(&self) -> Option<Variable> {
        match self {
            Self::Variable(placeholder) => Some(placeholder.variable),
            Self::Text(_) => None,
        }
    }
}

/// The address of a link: `https://example.org/?user={username|guest}`. Variables stand after the
/// host, so that no user's name can change where the link leads. Their values are percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(Vec<LinkPart>);

impl Link {
    /// An address, or what is expected of it.
    pub(super) fn new(parts: Vec<LinkPart>) -> Result<Self, &'static str> {
        let as_example = |part: &LinkPart| match part {
            LinkPart::Text(text) => text.clone(),
            LinkPart::Variable(_) => "x".to_owned(),
        };
        check_url(&parts.iter().map(as_example).collect::<String>())?;
        let beginning = match parts.first() {
            Some(LinkPart::Text(text)) => text.as_str(),
            _ => "",
        };
        let after_scheme = beginning.split_once("://").map_or("", |(_, rest)| rest);
        if parts.len() > 1 && !after_scheme.contains(['/', '?', '#']) {
            return Err("expected variables only after the host, such as \
                        https://example.org/?user={username}");
        }
        Ok(Self(parts))
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[LinkPart] {
        &self.0
    }

    /// The address for a user. Variables without a value and a fallback stay.
    pub(super) fn for_user(&self, user: &TelegramUser) -> Self {
        let filled = |part: &LinkPart| match part {
            LinkPart::Variable(placeholder) => match placeholder.value(user) {
                Some(value) => LinkPart::Text(percent_encoded(&value)),
                None => part.clone(),
            },
            LinkPart::Text(_) => part.clone(),
        };
        Self(self.0.iter().map(filled).collect())
    }

    /// The greatest number of bytes for any user.
    pub(super) fn max_bytes(&self) -> usize {
        // A character of one UTF-16 unit has up to three bytes, and each is written as `%XX`.
        const BYTES_OF_UNIT: usize = 9;
        let bytes = |part: &LinkPart| match part {
            LinkPart::Text(text) => text.len(),
            LinkPart::Variable(placeholder) => placeholder.max_units() * BYTES_OF_UNIT,
        };
        self.0.iter().map(bytes).sum()
    }

    /// The address, in which variables are left out.
    pub fn url(&self) -> String {
        let text = |part: &LinkPart| match part {
            LinkPart::Text(text) => text.clone(),
            LinkPart::Variable(_) => String::new(),
        };
        self.0.iter().map(text).collect()
    }
}

/// A text as a part of an address (RFC 3986, section 2.3: all but the unreserved characters).
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
    }
    encoded
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_default().to_ascii_uppercase()
}

/// Whether Telegram keeps a link with this address. It silently drops others in a text, and refuses
/// a message whose buttons have them.
///
/// # Errors
/// What is expected.
pub(super) fn check_url(url: &str) -> Result<(), &'static str> {
    const SCHEMES: &str = "expected an address that begins with http://, https:// or tg://";
    const HOST: &str = "expected a host such as example.org after '://'";
    if url.len() > MAX_BYTES {
        return Err("expected an address of at most 2,048 bytes");
    }
    let (scheme, rest) = url.split_once("://").ok_or(SCHEMES)?;
    let scheme = scheme.to_ascii_lowercase();
    if !["http", "https", "tg"].contains(&scheme.as_str()) {
        return Err(SCHEMES);
    }
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("expected an address without blanks; write %20 for a blank");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_name = |label: &str| {
        let allowed = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        !label.is_empty() && label.chars().all(allowed)
    };
    if scheme == "tg" {
        let fits = authority.is_ascii() && is_name(authority);
        return if fits {
            Ok(())
        } else {
            Err("expected a word after 'tg://', such as tg://user?id=1")
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if port.is_some_and(|port| !is_port(port)) {
        return Err("expected a port from 1 to 65535 after ':'");
    }
    if host.contains('.') && host.split('.').all(is_name) { Ok(()) } else { Err(HOST) }
}
