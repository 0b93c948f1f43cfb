//! The fields of a user in a file.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    LabelName, MAX_NAME_CHARS, Reachability, TelegramId, TelegramUser, UnreachableReason, Username,
};
use serde::{Deserialize, Serialize};

use super::{
    tags::{self, Tags},
    time,
};
use crate::text::quoted;

/// The names of the columns, in their order.
pub(super) const COLUMNS: [&str; 15] = [
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
    "tags",
];

/// The column of [`COLUMNS`] that a file may lack, because older versions did not write it.
pub(super) const OPTIONAL: &str = "tags";

/// The columns of [`COLUMNS`] that need a value.
pub(super) const NEEDED: [&str; 6] =
    ["telegram_id", "is_bot", "created_at", "updated_at", "last_seen", "has_private_chat"];

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
    #[serde(default, deserialize_with = "tags::deserialize")]
    tags: Vec<String>,
}

type Text<'a> = Option<Cow<'a, str>>;

impl<'a> Fields<'a> {
    /// The values of a user, whose tags are among `tags`.
    pub(super) fn of(user: &'a TelegramUser, tags: &Tags) -> Self {
        let text = |text: Option<&'a str>| text.map(Cow::Borrowed);
        let Reachability { has_private_chat, obstacle, blocked_at, unblocked_at } =
            user.reachability;
        Self {
            telegram_id: user.telegram_id.get(),
            first_name: user.first_name.as_str().into(),
            last_name: text(user.last_name.as_deref()),
            username: text(user.username.as_ref().map(Username::as_str)),
            language_code: text(user.language_code.as_deref()),
            is_bot: user.is_bot,
            created_at: time::written(user.created_at).into(),
            updated_at: time::written(user.updated_at).into(),
            last_seen: time::written(user.last_seen).into(),
            has_private_chat,
            obstacle: text(obstacle.map(UnreachableReason::name)),
            blocked_at: blocked_at.map(|at| time::written(at).into()),
            unblocked_at: unblocked_at.map(|at| time::written(at).into()),
            source: text(user.source.as_ref().map(|source| source.as_str())),
            tags: tags
                .get(&user.telegram_id)
                .map_or_else(Vec::new, |tags| tags.iter().map(LabelName::to_string).collect()),
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
            (!self.tags.is_empty()).then(|| self.tags.join(" ").into()),
        ]
    }

    /// Parses texts in the order of [`COLUMNS`]. None of them may be empty.
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
            tags,
        ] = texts;
        let needed = |name: &str, text: Text<'a>| text.ok_or_else(|| format!("{name} is empty"));
        let flag = |name: &str, text: Text<'a>| {
            let text = needed(name, text)?;
            flag(text.trim())
                .ok_or_else(|| format!("{name}: expected true or false, not {}", quoted(&text)))
        };
        let id = needed("telegram_id", telegram_id)?;
        Ok(Self {
            telegram_id: (id.trim().parse())
                .map_err(|_| format!("telegram_id: expected a number, not {}", quoted(&id)))?,
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
            tags: tags.map(|text| tags::divided(&text)).unwrap_or_default(),
        })
    }

    /// The user and its tags, or what is wrong.
    pub(super) fn into_user(self) -> Result<(TelegramUser, Vec<LabelName>), String> {
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
            reachability: Reachability {
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
        Ok((user, tags::read(&self.tags)?))
    }
}

fn time(name: &str, text: &str) -> Result<DateTime<Utc>, String> {
    time::read(text).map_err(|reason| format!("{name}: {reason}"))
}

/// Parses a flag as databases, programs and spreadsheets write it; spreadsheets use their user's
/// language.
fn flag(text: &str) -> Option<bool> {
    const TRUE: &[&str] = &[
        "true",
        "1",
        "yes",
        "t",
        "y",
        "wahr",
        "vrai",
        "истина",
        "verdadero",
        "verdadeiro",
        "vero",
        "waar",
        "prawda",
    ];
    const FALSE: &[&str] =
        &["false", "0", "no", "f", "n", "falsch", "faux", "ложь", "falso", "onwaar", "fałsz"];
    let text = text.to_lowercase();
    let is_one_of = |names: &[&str]| names.contains(&text.as_str());
    if is_one_of(TRUE) { Some(true) } else { is_one_of(FALSE).then_some(false) }
}

fn obstacle(name: &str) -> Result<UnreachableReason, String> {
    let expected = || UnreachableReason::ALL.map(UnreachableReason::name).join(", ");
    UnreachableReason::from_name(name)
        .ok_or_else(|| format!("obstacle: expected one of {}, not {}", expected(), quoted(name)))
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
