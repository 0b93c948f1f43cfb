//! Methods about the bot and its chats, and the look-up of a call's chat.

use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::params::Params;
use crate::people::{Chat, ChatKind};
use crate::state::{State, UnreachableReason};
use crate::telegram::Telegram;

pub(super) fn get_me(telegram: &Telegram) -> Result<Value, ApiError> {
    let mut me = telegram.bot_json();
    if let Value::Object(fields) = &mut me {
        fields.insert("can_join_groups".into(), json!(true));
        fields.insert("can_read_all_group_messages".into(), json!(false));
        fields.insert("supports_inline_queries".into(), json!(true));
        fields.insert("can_connect_to_business".into(), json!(false));
        fields.insert("has_main_web_app".into(), json!(false));
        for omitted in &telegram.setup.get_me_omits {
            fields.remove(omitted);
        }
    }
    Ok(me)
}

pub(super) fn send_chat_action(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    reachable_chat(telegram, &telegram.state(), params)?;
    match params.text("action") {
        Some(_) => Ok(json!(true)),
        None => Err(ApiError::bad_request("wrong parameter action in request")),
    }
}

pub(super) fn get_chat(telegram: &Telegram, params: &Params) -> Result<Value, ApiError> {
    let state = telegram.state();
    let mut chat = json!(known_chat(telegram, &state, params, "chat_id")?);
    if let Value::Object(fields) = &mut chat {
        fields.insert("accent_color_id".into(), json!(0));
        fields.insert("max_reaction_count".into(), json!(11));
    }
    Ok(chat)
}

/// The chat that the parameter `name` identifies.
pub(super) fn known_chat(
    telegram: &Telegram,
    state: &State,
    params: &Params,
    name: &str,
) -> Result<Chat, ApiError> {
    let Some(given) = params.get(name) else {
        return Err(ApiError::bad_request("chat_id is empty"));
    };
    let id = params.number(name);
    let chat = match (id, given.as_str().and_then(|name| name.strip_prefix('@'))) {
        (Some(id), _) => state.chats.get(&id).cloned(),
        (None, Some(name)) => find_public(state, name),
        (None, None) => None,
    };
    match (chat, id) {
        (Some(chat), _) => Ok(chat),
        (None, Some(id)) if !telegram.setup.strict_chats => Ok(unseen_chat(id)),
        _ => Err(ApiError::bad_request("chat not found")),
    }
}

/// Finds a group or channel by its username. People cannot be addressed by theirs.
fn find_public(state: &State, username: &str) -> Option<Chat> {
    let is_named =
        |chat: &&Chat| chat.username.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(username));
    state.chats.values().filter(|chat| chat.kind != ChatKind::Private).find(is_named).cloned()
}

fn unseen_chat(id: i64) -> Chat {
    if id < 0 {
        return Chat::group(id, "");
    }
    Chat {
        kind: ChatKind::Private,
        title: None,
        first_name: Some(String::new()),
        ..Chat::group(id, "")
    }
}

pub(super) fn reachable_chat(
    telegram: &Telegram,
    state: &State,
    params: &Params,
) -> Result<Chat, ApiError> {
    let chat = known_chat(telegram, state, params, "chat_id")?;
    state.places.check_chat(chat.id)?;
    let reason = match state.unreachable.get(&chat.id) {
        Some(UnreachableReason::Blocked) => "bot was blocked by the user",
        Some(UnreachableReason::Deactivated) => "user is deactivated",
        Some(UnreachableReason::Removed) if chat.kind == ChatKind::Channel => {
            "bot is not a member of the channel chat"
        }
        Some(UnreachableReason::Removed) => "bot was kicked from the group chat",
        None if state.people.get(&chat.id).is_some_and(|person| person.is_bot) => {
            "bot can't send messages to bots"
        }
        None if state.refusals.is_blocked(chat.id) => "bot was blocked by the user",
        None => return Ok(chat),
    };
    Err(ApiError::new(403, format!("Forbidden: {reason}")))
}
