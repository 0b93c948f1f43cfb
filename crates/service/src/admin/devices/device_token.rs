//! Cookies that make a device known to the admins who signed in on it ("device cookies", OWASP: Slow
//! Down Online Guessing Attacks with Device Cookies). They do not sign anybody in.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use rollcall_domain::Admin;
use rollcall_repository::{DeviceSecret, Digest};
use sha2::Sha256;

use crate::{
    ServiceError,
    admin::token::{digest, random_bytes},
};

/// How long a device stays known after its admin last signed in on it.
const KNOWN_FOR: TimeDelta = TimeDelta::days(365);
/// To how many admins a device can be known at once.
const MAX_ADMINS: usize = 4;

const ID_BYTES: usize = 16;
/// The time, the generation and the id.
const BODY_BYTES: usize = 8 + 8 + ID_BYTES;
const MAC_BYTES: usize = 32;

/// The content of a long-lived cookie: the tokens of the admins that know the device, with
/// characters of `A-Z a-z 0-9 _ - .`. It comes from the browser, so it may be anything.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DeviceCookie(String);

impl DeviceCookie {
    /// The content of the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the device has no cookie.
    pub(in crate::admin) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.split('.').take(MAX_ADMINS)
    }

    /// The cookie with a new token of an admin in place of the old one. Tokens of others stay, as far
    /// as there is room.
    pub(in crate::admin) fn with(
        self,
        secret: &DeviceSecret,
        admin: &Admin,
        token: &DeviceToken,
    ) -> Self {
        let is_others =
            |text: &&str| !text.is_empty() && DeviceToken::read_one(secret, admin, text).is_none();
        let mut tokens = vec![token.to_text(secret, admin)];
        tokens.extend(self.tokens().filter(is_others).take(MAX_ADMINS - 1).map(str::to_owned));
        Self(tokens.join("."))
    }
}

impl From<String> for DeviceCookie {
    fn from(text: String) -> Self {
        Self(text)
    }
}

// Keeps the tokens out of logs.
impl fmt::Debug for DeviceCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCookie(…)")
    }
}

/// Proves that an admin signed in on a device. The signature exposes forged tokens without a
/// database query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::admin) struct DeviceToken {
    /// When the admin signed in.
    pub(in crate::admin) at: DateTime<Utc>,
    /// The generation of the admin's devices at that time.
    pub(in crate::admin) generation: i64,
    /// Distinguishes it from the tokens of other devices.
    id: [u8; ID_BYTES],
}

impl DeviceToken {
    pub(in crate::admin) fn new(at: DateTime<Utc>, generation: i64) -> Result<Self, ServiceError> {
        Ok(Self { at, generation, id: random_bytes()? })
    }

    /// The token of an admin among those of a cookie, if it has not expired.
    pub(in crate::admin) fn read(
        secret: &DeviceSecret,
        admin: &Admin,
        cookie: &DeviceCookie,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let token = cookie.tokens().find_map(|text| Self::read_one(secret, admin, text))?;
        (now - token.at < KNOWN_FOR).then_some(token)
    }

    fn read_one(secret: &DeviceSecret, admin: &Admin, text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, signature) = bytes.split_first_chunk::<BODY_BYTES>()?;
        mac(secret, admin, body)?.verify_slice(signature).ok()?;
        let (at, rest) = body.split_first_chunk()?;
        let (generation, id) = rest.split_first_chunk()?;
        Some(Self {
            at: DateTime::from_timestamp(i64::from_be_bytes(*at), 0)?,
            generation: i64::from_be_bytes(*generation),
            id: id.try_into().ok()?,
        })
    }

    fn to_text(self, secret: &DeviceSecret, admin: &Admin) -> String {
        let mut bytes = Vec::with_capacity(BODY_BYTES + MAC_BYTES);
        bytes.extend(self.at.timestamp().to_be_bytes());
        bytes.extend(self.generation.to_be_bytes());
        bytes.extend(self.id);
        if let Some(mac) = mac(secret, admin, &bytes) {
            bytes.extend(mac.finalize().into_bytes());
        }
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key that counts failures on this device, separately from other devices.
    pub(in crate::admin) fn key(&self, what: &str, admin: &Admin) -> Digest {
        digest(&[what, &admin.to_string(), &BASE64_URL_SAFE_NO_PAD.encode(self.id)])
    }
}

/// The body has a fixed length, so that no part of it can pass as a part of the name.
fn mac(secret: &DeviceSecret, admin: &Admin, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).ok()?;
    mac.update(body);
    mac.update(admin.to_string().as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: DeviceSecret = DeviceSecret([7; DeviceSecret::BYTES]);

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + day * 86_400, 0).unwrap()
    }

    fn admin(name: &str) -> Admin {
        name.parse().unwrap()
    }

    fn cookie(names: &[&str]) -> DeviceCookie {
        let with = |cookie: DeviceCookie, name: &&str| {
            let token = DeviceToken::new(at(0), 3).unwrap();
            cookie.with(&SECRET, &admin(name), &token)
        };
        names.iter().fold(DeviceCookie::default(), with)
    }

    fn read(cookie: &DeviceCookie, name: &str) -> Option<DeviceToken> {
        DeviceToken::read(&SECRET, &admin(name), cookie, at(364))
    }

    #[test]
    fn a_token_can_be_read_back() {
        let token = DeviceToken::new(at(0), i64::MAX).unwrap();
        let cookie = DeviceCookie::default().with(&SECRET, &admin("ada"), &token);
        assert_eq!(read(&cookie, "ada"), Some(token));
        assert_eq!(read(&cookie, "ad"), None, "it is another admin's");
        assert_eq!(read(&cookie, "telegram:7"), None);
        assert_eq!(DeviceToken::read(&SECRET, &admin("ada"), &cookie, at(365)), None);
        let other = DeviceSecret([8; DeviceSecret::BYTES]);
        assert_eq!(DeviceToken::read(&other, &admin("ada"), &cookie, at(0)), None);
    }

    #[test]
    fn a_changed_token_is_rejected() {
        let cookie = cookie(&["ada"]);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cookie.as_str()).unwrap();
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1;
            let changed = DeviceCookie(BASE64_URL_SAFE_NO_PAD.encode(bytes));
            assert_eq!(read(&changed, "ada"), None, "{place}");
        }
        for length in 0..bytes.len() {
            let part = DeviceCookie(BASE64_URL_SAFE_NO_PAD.encode(&bytes[..length]));
            assert_eq!(read(&part, "ada"), None, "{length}");
        }
        for odd in ["", ".", "....", "x", "ä", "\0", &"A".repeat(100_000)] {
            assert_eq!(read(&DeviceCookie(odd.to_owned()), "ada"), None, "{odd:.9}");
        }
    }

    #[test]
    fn a_device_is_known_to_several_admins() {
        let two = cookie(&["ada", "grace"]);
        assert!(read(&two, "ada").is_some() && read(&two, "grace").is_some());
        let again = cookie(&["ada", "grace", "ada", "ada"]);
        assert_eq!(again.as_str().len(), two.as_str().len(), "each has one token");
        let many = cookie(&["a", "b", "c", "d", "e", "f"]);
        assert_eq!(
            ["b", "c", "d", "e", "f"].map(|name| read(&many, name).is_some()),
            [false, true, true, true, true]
        );
        let odd = DeviceCookie("x..y.".to_owned());
        let token = DeviceToken::new(at(0), 3).unwrap();
        let own = odd.with(&SECRET, &admin("ada"), &token);
        assert!(own.as_str().ends_with(".x.y"), "{}", own.as_str());
        assert_eq!(read(&own, "ada"), Some(token));
    }
}
