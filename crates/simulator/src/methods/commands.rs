//! The lists of commands that the bot sets.

use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::params::Params;
use crate::telegram::Telegram;

pub(super) fn set_my_commands(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    let commands = params.json("commands").filter(Value::is_array);
    let commands = commands.ok_or_else(|| ApiError::bad_request("can't parse commands list"))?;
    for command in commands.as_array().into_iter().flatten() {
        check_command(command)?;
    }
    telegram.state().commands.insert(command_scope(params), commands);
    telegram.changed();
    Ok(json!(true))
}

pub(super) fn delete_my_commands(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    telegram.state().commands.remove(&command_scope(params));
    telegram.changed();
    Ok(json!(true))
}

pub(super) fn get_my_commands(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    Ok(telegram.state().commands.get(&command_scope(params)).cloned().unwrap_or_else(|| json!([])))
}

/// The key of a command list: Telegram keeps one per scope and language.
pub(crate) fn command_scope(params: &Params) -> String {
    let scope = params.json("scope").unwrap_or_else(|| json!({ "type": "default" }));
    format!("{scope} {}", params.text("language_code").unwrap_or_default())
}

fn check_command(command: &Value) -> Result<(), ApiError> {
    let text = |field| command.get(field).and_then(Value::as_str).unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let name = text("command");
    let name = name.strip_prefix('/').unwrap_or(name);
    if !(1..=32).contains(&name.len()) || !name.chars().all(is_letter) {
        return Err(ApiError::bad_request("BOT_COMMAND_INVALID"));
    }
    if !(1..=256).contains(&text("description").chars().count()) {
        return Err(ApiError::bad_request("BOT_COMMAND_DESCRIPTION_INVALID"));
    }
    Ok(())
}
