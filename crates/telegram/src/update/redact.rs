//! What the quarantine keeps of an update: all but the texts that registration does not read.

use crate::json::Text;

/// The strings that registration reads, by their place below the content of an update.
const READ: &[&[&str]] = &[
    &["from", "first_name"],
    &["from", "last_name"],
    &["from", "username"],
    &["from", "language_code"],
    &["user", "first_name"],
    &["user", "last_name"],
    &["user", "username"],
    &["user", "language_code"],
    &["source", "user", "first_name"],
    &["source", "user", "last_name"],
    &["source", "user", "username"],
    &["source", "user", "language_code"],
    &["boost", "source", "user", "first_name"],
    &["boost", "source", "user", "last_name"],
    &["boost", "source", "user", "username"],
    &["boost", "source", "user", "language_code"],
    &["chat", "type"],
    &["message", "chat", "type"],
    &["new_chat_member", "status"],
    &["data"],
];
/// Those that it reads of the partner in a chat, in updates without another user.
const READ_OF_PARTNER: &[&[&str]] =
    &[&["chat", "first_name"], &["chat", "last_name"], &["chat", "username"]];
const TEXT: &[&str] = &["text"];
/// Limits of the Bot API: a command has up to 32 characters, a username too, and a payload 64.
const MAX_NAME: usize = 32;
const MAX_PAYLOAD: usize = 64;

/// The JSON of an update whose content has this name, in which every string that registration does not
/// read is replaced by its length. It is read as before.
pub(super) fn without_texts(json: &str, kind: Option<&str>) -> String {
    let mut out = String::with_capacity(json.len());
    let mut path: Vec<Level> = Vec::new();
    let mut rest = json;
    while let Some(at) = rest.find(['"', '{', '[', '}', ']', ':', ',']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        if found.starts_with('"') {
            let (string, after) = found.split_at(end_of_string(found));
            match path.last_mut() {
                Some(Level::Object { key, awaits_key: true }) => {
                    *key = decoded(string);
                    out.push_str(string);
                }
                _ => out.push_str(&kept(string, &place(&path), kind)),
            }
            rest = after;
            continue;
        }
        let mut chars = found.chars();
        let mark = chars.next().unwrap_or_default();
        out.push(mark);
        rest = chars.as_str();
        match (mark, path.last_mut()) {
            ('{', _) => path.push(Level::Object { key: None, awaits_key: true }),
            ('[', _) => path.push(Level::Array),
            ('}' | ']', _) => drop(path.pop()),
            (':', Some(Level::Object { awaits_key, .. })) => *awaits_key = false,
            (',', Some(Level::Object { awaits_key, .. })) => *awaits_key = true,
            _ => {}
        }
    }
    out.push_str(rest);
    out
}

/// A value around the place that is read.
enum Level {
    Object { key: Option<String>, awaits_key: bool },
    Array,
}

/// The keys that lead to a place; "" for an array.
fn place(path: &[Level]) -> Vec<&str> {
    path.iter()
        .map(|level| match level {
            Level::Object { key, .. } => key.as_deref().unwrap_or_default(),
            Level::Array => "",
        })
        .collect()
}

/// Where a string ends that begins with its quotation mark.
fn end_of_string(json: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in json.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

fn decoded(string: &str) -> Option<String> {
    serde_json::from_str::<Text>(string).ok().map(Text::into_string)
}

/// A string as the quarantine keeps it.
fn kept(string: &str, place: &[&str], kind: Option<&str>) -> String {
    let [content, place @ ..] = place else { return length(string) };
    if kind != Some(*content) {
        return length(string);
    }
    let is_of_partner =
        kind == Some("stopped_message_generation") && READ_OF_PARTNER.contains(&place);
    if READ.contains(&place) || is_of_partner {
        return string.to_owned();
    }
    match decoded(string) {
        Some(text) if place == TEXT && text.starts_with('/') => command(&text),
        _ => length(string),
    }
}

/// A command, with its argument only if it may be the payload of a deep link.
fn command(text: &str) -> String {
    let (word, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let name = word.strip_prefix('/').unwrap_or_default();
    let (name, addressee) = name.split_once('@').unwrap_or((name, ""));
    let is_name = |name: &str| {
        name.len() <= MAX_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if !is_name(name) || !is_name(addressee) {
        return quoted(&format!("/({} characters)", text.chars().count()));
    }
    let argument = argument.trim();
    let is_payload = name.eq_ignore_ascii_case("start")
        && argument.len() <= MAX_PAYLOAD
        && argument.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    quoted(&match argument {
        "" => word.to_owned(),
        payload if is_payload => format!("{word} {payload}"),
        other => format!("{word} ({} characters)", other.chars().count()),
    })
}

/// The length of a string, in its place.
fn length(string: &str) -> String {
    let characters = match decoded(string) {
        Some(text) => text.chars().count(),
        None => string.chars().count().saturating_sub(2),
    };
    quoted(&format!("({characters} characters)"))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
