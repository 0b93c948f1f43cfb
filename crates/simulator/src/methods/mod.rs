//! The methods of the Bot API.
//!
//! To add a method: a line in [`call`], and a function that reads its parameters, refuses what
//! Telegram would refuse, in Telegram's words, and returns the result.

mod chats;
mod commands;
mod copies;
mod get_updates;
mod media;
mod messages;
#[cfg(test)]
mod tests;
mod webhook;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::params::Params;
use crate::telegram::Telegram;

pub(crate) use commands::command_scope;
pub(crate) use get_updates::get_updates;

/// Calls `method`, given in lower case. getUpdates is not among them, because it waits.
pub(crate) fn call(
    telegram: &Arc<Telegram>,
    method: &str,
    params: &Params,
) -> Result<Value, ApiError> {
    match method {
        "getme" => chats::get_me(telegram),
        "setwebhook" => webhook::set(telegram, params, call),
        "deletewebhook" => webhook::delete(telegram, params),
        "getwebhookinfo" => webhook::info(telegram),
        "sendmessage" => messages::send_message(telegram, params),
        "sendphoto" => media::send_media(telegram, params, "photo"),
        "sendvideo" => media::send_media(telegram, params, "video"),
        "senddocument" => media::send_media(telegram, params, "document"),
        "sendvoice" => media::send_media(telegram, params, "voice"),
        "sendpoll" => media::send_poll(telegram, params),
        "copymessage" => copies::copy_message(telegram, params),
        "editmessagetext" => messages::edit_message_text(telegram, params),
        "editmessagereplymarkup" => messages::edit_message_reply_markup(telegram, params),
        "answercallbackquery" => require(params, "callback_query_id"),
        "answerinlinequery" => require(params, "inline_query_id"),
        "sendchataction" => chats::send_chat_action(telegram, params),
        "setmycommands" => commands::set_my_commands(telegram, params),
        "deletemycommands" => commands::delete_my_commands(telegram, params),
        "getmycommands" => commands::get_my_commands(telegram, params),
        "getfile" => media::get_file(telegram, params),
        "getchat" => chats::get_chat(telegram, params),
        "logout" | "close" => Ok(json!(true)),
        _ => Err(ApiError::method_not_found()),
    }
}

fn require(params: &Params, name: &str) -> Result<Value, ApiError> {
    match params.get(name) {
        Some(_) => Ok(json!(true)),
        None => Err(ApiError::bad_request(&format!("parameter \"{name}\" is required"))),
    }
}
