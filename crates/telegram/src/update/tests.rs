mod actors;
mod fields;
mod requests;
mod simulated;

use serde_json::{Value, json};

use rollcall_domain::Used;

use super::{kinds::KINDS, *};

const RECEIVED: &str = "2026-11-23T12:00:00.5Z";

fn our_name() -> Username {
    "our_bot".parse().unwrap()
}

const COMMANDS: &[&str] = &["start", "help"];

fn button_family(data: &str) -> Option<&'static str> {
    data.starts_with("p/").then_some("settings")
}

fn read_text(json: &str) -> Update<'_> {
    read(json, RECEIVED.parse().unwrap(), Some(&our_name()), COMMANDS, &button_family)
}

/// Reads an update; its text lives as long as the tests.
fn read_value(update: &Value) -> Update<'static> {
    read_text(update.to_string().leak())
}

/// Reads an update of one kind.
fn read_kind(kind: &str, content: Value) -> Update<'static> {
    read_value(&json!({"update_id": 7, kind: content}))
}

fn ada() -> Value {
    json!({
        "id": 1815, "is_bot": false, "first_name": "Ada", "last_name": "Lovelace",
        "username": "ada", "language_code": "en", "is_premium": true
    })
}

fn whole_profile() -> Profile {
    Profile::new(1815.try_into().unwrap(), "Ada")
        .last_name("Lovelace")
        .username("ada")
        .language_code("en")
}
