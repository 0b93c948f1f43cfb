//! The data that Telegram passes to the bot's Mini App, signed for the bot.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use rollcall_domain::TelegramId;
use rollcall_repository::Digest;
use serde::Deserialize;
use sha2::Sha256;

use crate::admin::token::{TokenId, hash};

/// How long Mini App data is valid.
const DATA_IS_GOOD: TimeDelta = TimeDelta::minutes(5);
/// How far Telegram's clock may be ahead of ours.
const LARGEST_LEAD: TimeDelta = TimeDelta::seconds(30);

/// The key that Telegram signs the data of a bot's Mini Apps with (Bot API, "Validating data received
/// via the Mini App"). A secret: `Debug` does not show it.
#[derive(Clone)]
pub struct MiniAppKey([u8; 32]);

impl MiniAppKey {
    /// The key of the bot with this token.
    pub fn of_token(token: &str) -> Option<Self> {
        let mac = mac(b"WebAppData", token)?;
        Some(Self(mac.finalize().into_bytes().into()))
    }

    /// Reads data that Telegram signed; `None` if it is invalid or signed with another key.
    pub(super) fn read(&self, data: &str) -> Option<Opening> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(data).ok()?;
        let count = pairs.len();
        let mut fields: BTreeMap<String, String> = pairs.into_iter().collect();
        // Of two values, only one would be signed.
        if fields.len() != count {
            return None;
        }
        let TokenId(Digest(signature)) = fields.remove("hash")?.parse().ok()?;
        let lines: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        mac(&self.0, &lines.join("\n"))?.verify_slice(&signature).ok()?;
        let User { id } = serde_json::from_str(fields.get("user")?).ok()?;
        Some(Opening {
            user: id.try_into().ok()?,
            at: DateTime::from_timestamp(fields.get("auth_date")?.parse().ok()?, 0)?,
            id: hash(&signature),
        })
    }
}

// Keeps the secret out of logs.
impl fmt::Debug for MiniAppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MiniAppKey(…)")
    }
}

fn mac(key: &[u8], text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

/// A Mini App that a user opened.
pub(super) struct Opening {
    pub(super) user: TelegramId,
    at: DateTime<Utc>,
    /// A hash of the signature, which is the same however the data is written.
    pub(super) id: Digest,
}

impl Opening {
    pub(super) fn is_good(&self, now: DateTime<Utc>) -> bool {
        let age = now - self.at;
        -LARGEST_LEAD <= age && age < DATA_IS_GOOD
    }
}

/// The field `user` (Bot API, "WebAppUser").
#[derive(Deserialize)]
struct User {
    id: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "123456:hunter2";

    /// Signs fields as Telegram does, and writes them as Telegram's clients do.
    fn signed(token: &str, fields: &[(&str, &str)]) -> String {
        let MiniAppKey(key) = MiniAppKey::of_token(token).unwrap();
        let mut lines: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.sort();
        let signature = mac(&key, &lines.join("\n")).unwrap().finalize().into_bytes();
        let hash = TokenId(Digest(signature.into())).to_string();
        serde_urlencoded::to_string([fields, &[("hash", &hash)]].concat()).unwrap()
    }

    const FIELDS: [(&str, &str); 4] = [
        ("user", r#"{"id":7,"first_name":"Zoë & Co","is_premium":true}"#),
        ("auth_date", "1800000000"),
        ("signature", "abc-_"),
        ("query_id", "AAF+x/y="),
    ];

    #[test]
    fn only_data_with_telegrams_signature_is_read() {
        let key = MiniAppKey::of_token(TOKEN).unwrap();
        let data = signed(TOKEN, &FIELDS);
        let read = key.read(&data).unwrap();
        assert_eq!((read.user.get(), read.at.timestamp()), (7, 1_800_000_000));
        let mut turned: Vec<_> = data.split('&').collect();
        turned.reverse();
        assert_eq!(key.read(&turned.join("&")).unwrap().id, read.id, "the same opening");

        let (unsigned, hash) = data.rsplit_once("&hash=").unwrap();
        for wrong in [
            String::new(),
            unsigned.to_owned(),
            format!("{unsigned}&hash="),
            format!("{unsigned}&hash={}", "0".repeat(64)),
            format!("{unsigned}&hash={}", &hash[1..]),
            format!("{data}&hash={hash}"),
            format!("{data}&extra=1"),
            format!("{data}&user=%7B%22id%22%3A8%7D"),
            data.replace("1800000000", "1800000001"),
            data.replacen("%22id%22%3A7", "%22id%22%3A8", 1),
            signed("123456:hunter3", &FIELDS),
            signed(TOKEN, &FIELDS[1..]),
            signed(TOKEN, &FIELDS[..1]),
            signed(TOKEN, &[("user", r#"{"id":-7}"#), FIELDS[1]]),
            signed(TOKEN, &[("user", r#"{"id":"7"}"#), FIELDS[1]]),
            signed(TOKEN, &[FIELDS[0], ("auth_date", "soon")]),
        ] {
            assert!(key.read(&wrong).is_none(), "{wrong}");
        }
    }

    /// Computed with Python's `hmac` module from the description in the Bot API.
    #[test]
    fn the_signature_is_that_of_the_bot_api() {
        let key = MiniAppKey::of_token("123456:TEST-token").unwrap();
        let data = "user=%7B%22id%22%3A7%7D&auth_date=1800000000&query_id=q&hash=1ec6b64928eb5f54d13038a9340076adc897a714e2c60146b7a516e034dbe7b7";
        assert_eq!(key.read(data).unwrap().user.get(), 7);
    }

    #[test]
    fn data_is_good_for_five_minutes() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let opening = Opening { user: 7.try_into().unwrap(), at, id: hash(b"") };
        let is_good = |seconds| opening.is_good(at + TimeDelta::seconds(seconds));
        assert_eq!([-31, -30, 0, 299, 300].map(is_good), [false, true, true, true, false]);
    }
}
