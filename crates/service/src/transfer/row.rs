//! What a file tells of a user.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, Timelike, Utc};
use rollcall_domain::{MAX_NAME_CHARS, Obstacle, Reach, TelegramId, TelegramUser, Username};
use serde::{Deserialize, Serialize};

/// The names of the columns, in their order.
pub(super) const COLUMNS: [&str; 14] = [
    "telegram_id",
    "first_name",
    "last_name",
    "username",
    "language_code",
    "is_bot",
    "created_at",
    "updated_at",
    "last_seen",
    "has_private_chat",
    "obstacle",
    "blocked_at",
    "unblocked_at",
    "source",
];

/// The values of the columns.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields<'a> {
    telegram_id: i64,
    first_name: Cow<'a, str>,
    last_name: Option<Cow<'a, str>>,
    username: Option<Cow<'a, str>>,
    language_code: Option<Cow<'a, str>>,
    is_bot: bool,
    created_at: Cow<'a, str>,
    updated_at: Cow<'a, str>,
    last_seen: Cow<'a, str>,
    has_private_chat: bool,
    obstacle: Option<Cow<'a, str>>,
    blocked_at: Option<Cow<'a, str>>,
    unblocked_at: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
}

type Text<'a> = Option<Cow<'a, str>>;

impl<'a> Fields<'a> {
    pub(super) fn of(user: &'a TelegramUser) -> Self {
        let text = |text: Option<&'a str>| text.map(Cow::Borrowed);
        let Reach { has_private_chat, obstacle, blocked_at, unblocked_at } = user.reach;
        Self {
            telegram_id: user.telegram_id.get(),
            first_name: user.first_name.as_str().into(),
            last_name: text(user.last_name.as_deref()),
            username: text(user.username.as_ref().map(Username::as_str)),
            language_code: text(user.language_code.as_deref()),
            is_bot: user.is_bot,
            created_at: written(user.created_at).into(),
            updated_at: written(user.updated_at).into(),
            last_seen: written(user.last_seen).into(),
            has_private_chat,
            obstacle: text(obstacle.map(Obstacle::name)),
            blocked_at: blocked_at.map(|at| written(at).into()),
            unblocked_at: unblocked_at.map(|at| written(at).into()),
            source: text(user.source.as_ref().map(|source| source.as_str())),
        }
    }

    /// In the order of [`COLUMNS`].
    pub(super) fn into_texts(self) -> [Text<'a>; COLUMNS.len()] {
        let flag = |flag: bool| Some(Cow::Borrowed(if flag { "true" } else { "false" }));
        [
            Some(self.telegram_id.to_string().into()),
            Some(self.first_name),
            self.last_name,
            self.username,
            self.language_code,
            flag(self.is_bot),
            Some(self.created_at),
            Some(self.updated_at),
            Some(self.last_seen),
            flag(self.has_private_chat),
            self.obstacle,
            self.blocked_at,
            self.unblocked_at,
            self.source,
        ]
    }

    /// From texts in the order of [`COLUMNS`], of which none is empty.
    pub(super) fn from_texts(texts: [Text<'a>; COLUMNS.len()]) -> Result<Self, String> {
        let [
            telegram_id,
            first_name,
            last_name,
            username,
            language_code,
            is_bot,
            created_at,
            updated_at,
            last_seen,
            has_private_chat,
            obstacle,
            blocked_at,
            unblocked_at,
            source,
        ] = texts;
        let needed = |name: &str, text: Text<'a>| text.ok_or_else(|| format!("{name} is empty"));
        let flag = |name: &str, text: Text<'a>| match needed(name, text)?.as_ref() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!("{name}: expected true or false, not {other:?}")),
        };
        let id = needed("telegram_id", telegram_id)?;
        Ok(Self {
            telegram_id: id
                .parse()
                .map_err(|_| format!("telegram_id: expected a number, not {id:?}"))?,
            first_name: first_name.unwrap_or_default(),
            last_name,
            username,
            language_code,
            is_bot: flag("is_bot", is_bot)?,
            created_at: needed("created_at", created_at)?,
            updated_at: needed("updated_at", updated_at)?,
            last_seen: needed("last_seen", last_seen)?,
            has_private_chat: flag("has_private_chat", has_private_chat)?,
            obstacle,
            blocked_at,
            unblocked_at,
            source,
        })
    }

    /// The user, or what is wrong.
    pub(super) fn into_user(self) -> Result<TelegramUser, String> {
        let id: TelegramId =
            (self.telegram_id).try_into().map_err(|error| format!("telegram_id: {error}"))?;
        let maybe = |name, text: Text<'a>| {
            text.filter(|text| !text.is_empty()).map(|text| name_of(name, text)).transpose()
        };
        let times = [("blocked_at", self.blocked_at), ("unblocked_at", self.unblocked_at)];
        let [blocked_at, unblocked_at] =
            times.map(|(name, text)| text.map(|text| time(name, &text)).transpose());
        let user = TelegramUser {
            first_name: name_of("first_name", self.first_name)?,
            last_name: maybe("last_name", self.last_name)?,
            username: maybe("username", self.username)?
                .as_deref()
                .and_then(Username::from_telegram),
            language_code: maybe("language_code", self.language_code)?,
            is_bot: self.is_bot,
            updated_at: time("updated_at", &self.updated_at)?,
            last_seen: time("last_seen", &self.last_seen)?,
            reach: Reach {
                has_private_chat: self.has_private_chat,
                obstacle: self.obstacle.as_deref().map(obstacle).transpose()?,
                blocked_at: blocked_at?,
                unblocked_at: unblocked_at?,
            },
            source: (self.source.as_deref().map(str::parse).transpose())
                .map_err(|error| format!("source: {error}"))?,
            ..TelegramUser::new(id, time("created_at", &self.created_at)?)
        };
        if user.last_seen < user.created_at {
            return Err("last_seen is before created_at".to_owned());
        }
        Ok(user)
    }
}

/// As `2026-11-23T12:00:00.000000Z`: as exactly as it is stored. Digit by digit, for a file has
/// several times for each user, and chrono takes ten times as long.
fn written(at: DateTime<Utc>) -> String {
    let at = at.naive_utc();
    let mut text = String::with_capacity(27);
    let mut push = |number: u32, digits: u32, after: char| {
        for place in (0..digits).rev() {
            let digit = number / 10_u32.pow(place) % 10;
            text.push(char::from_digit(digit, 10).unwrap_or('0'));
        }
        text.push(after);
    };
    push(at.year().unsigned_abs(), 4, '-');
    push(at.month(), 2, '-');
    push(at.day(), 2, 'T');
    push(at.hour(), 2, ':');
    push(at.minute(), 2, ':');
    push(at.second(), 2, '.');
    push(at.and_utc().timestamp_subsec_micros(), 6, 'Z');
    text
}

fn time(name: &str, text: &str) -> Result<DateTime<Utc>, String> {
    let at = DateTime::parse_from_rfc3339(text).map_err(|_| {
        format!("{name}: expected a time such as 2026-11-23T12:00:00Z, not {text:?}")
    })?;
    // What both databases can hold.
    let years = 1970..=9999;
    let at = at.to_utc();
    if !years.contains(&at.year()) {
        return Err(format!("{name}: expected a year from 1970 to 9999, not {text:?}"));
    }
    DateTime::from_timestamp_micros(at.timestamp_micros()).ok_or_else(|| format!("{name}: no time"))
}

fn obstacle(name: &str) -> Result<Obstacle, String> {
    let expected = || Obstacle::ALL.map(Obstacle::name).join(", ");
    Obstacle::from_name(name)
        .ok_or_else(|| format!("obstacle: expected one of {}, not {name:?}", expected()))
}

fn name_of(name: &str, text: Cow<'_, str>) -> Result<String, String> {
    if text.contains('\0') {
        return Err(format!("{name} has a U+0000"));
    }
    if text.chars().count() > MAX_NAME_CHARS {
        return Err(format!("{name} is longer than {MAX_NAME_CHARS} characters"));
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::*;

    #[test]
    fn times_are_written_as_chrono_writes_them() {
        for seconds in [0, 1, 951_782_399, 1_700_000_000, 253_402_300_799] {
            for nanoseconds in [0, 1_000, 123_456_000, 999_999_000] {
                let at = DateTime::from_timestamp(seconds, nanoseconds).unwrap();
                assert_eq!(written(at), at.to_rfc3339_opts(SecondsFormat::Micros, true));
                assert_eq!(time("at", &written(at)), Ok(at));
            }
        }
        assert!(time("at", "1969-12-31T23:59:59Z").is_err());
        let later = time("at", "2026-11-23T14:00:00.1234567+02:00").unwrap();
        assert_eq!(written(later), "2026-11-23T12:00:00.123456Z");
    }
}
