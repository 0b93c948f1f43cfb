//! The methods of the Bot API.
//!
//! To add one: a line in [`call`] and a function that reads its parameters, refuses what Telegram
//! would refuse with Telegram's words, and answers the result.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::exchange::Exchange;
use crate::markup::{Formatted, parse_html};
use crate::params::Params;
use crate::people::{Chat, ChatKind};
use crate::record::SentMessage;
use crate::refusal::Refusal;
use crate::telegram::{OutOfReach, State, Telegram, WaitingPoll};

/// What ends a getUpdates when another one comes.
pub(crate) const OTHER_POLL: &str = "Conflict: terminated by other getUpdates request; make sure \
                                     that only one bot instance is running";
pub(crate) const WEBHOOK_SET: &str = "Conflict: terminated by setWebhook request";
const WEBHOOK_ACTIVE: &str = "Conflict: can't use getUpdates method while webhook is active; use \
                              deleteWebhook to delete the webhook first";

type Answer = Result<Value, Refusal>;

/// Does what `method`, in lower case, is for; all but getUpdates, which takes its time.
pub(crate) fn call(telegram: &Arc<Telegram>, method: &str, params: &Params) -> Answer {
    match method {
        "getme" => get_me(telegram),
        "setwebhook" => crate::webhook::set(telegram, params),
        "deletewebhook" => crate::webhook::delete(telegram, params),
        "getwebhookinfo" => crate::webhook::info(telegram),
        "sendmessage" => send_message(telegram, params),
        "editmessagetext" => edit_message_text(telegram, params),
        "answercallbackquery" => need(params, "callback_query_id"),
        "answerinlinequery" => need(params, "inline_query_id"),
        "sendchataction" => send_chat_action(telegram, params),
        "setmycommands" => set_my_commands(telegram, params),
        "deletemycommands" => delete_my_commands(telegram, params),
        "getmycommands" => get_my_commands(telegram, params),
        "getchat" => get_chat(telegram, params),
        "logout" | "close" => Ok(json!(true)),
        _ => Err(Refusal::new(404, "Not Found: method not found")),
    }
}

/// Waits for updates as long as the bot asks; the answer is the whole body, ready to send.
pub(crate) async fn get_updates(telegram: &Telegram, params: &Params) -> Result<String, Refusal> {
    let limit = usize::try_from(params.number("limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
    let timeout_s = params.number("timeout").unwrap_or(0).clamp(0, 50).unsigned_abs();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(timeout_s);
    let mut changes = telegram.watch();
    let own_number = begin_poll(telegram, params)?;
    let mut waiting = None;
    loop {
        if let Some(answer) = look_for_updates(telegram, own_number, limit)? {
            return Ok(answer);
        }
        waiting.get_or_insert_with(|| WaitingPoll::begin(telegram));
        if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
            return Ok("{\"ok\":true,\"result\":[]}".into());
        }
    }
}

/// Confirms what the offset confirms, and ends the getUpdates that is still waiting.
fn begin_poll(telegram: &Telegram, params: &Params) -> Result<u64, Refusal> {
    let mut state = telegram.state();
    if state.webhook.is_some() {
        return Err(Refusal::new(409, WEBHOOK_ACTIVE));
    }
    if let Some(kinds) = string_list(params, "allowed_updates") {
        state.queue.allow(kinds);
    }
    state.queue.confirm(params.number("offset").unwrap_or(0));
    let own_number = state.end_polls(OTHER_POLL);
    drop(state);
    telegram.changed();
    Ok(own_number)
}

fn look_for_updates(
    telegram: &Telegram,
    own_number: u64,
    limit: usize,
) -> Result<Option<String>, Refusal> {
    let mut state = telegram.state();
    if state.revoked {
        return Err(Refusal::unauthorized());
    }
    if state.poll.number != own_number {
        return Err(Refusal::new(409, state.poll.ended_by));
    }
    let answer = state.queue.answer(limit);
    drop(state);
    if answer.is_some() {
        telegram.changed();
    }
    Ok(answer)
}

fn get_me(telegram: &Telegram) -> Answer {
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

fn send_message(telegram: &Telegram, params: &Params) -> Answer {
    let formatted = formatted_text(params)?;
    let markup = reply_markup(params)?;
    let mut state = telegram.state();
    let chat = reachable_chat(telegram, &state, params)?;
    let place = state.places.of_message(&chat, params)?;
    let message_id = telegram.next_message_id();
    let mut message = json!({
        "message_id": message_id, "date": telegram.now(), "chat": chat, "from": telegram.bot_json(),
    });
    if let Value::Object(fields) = &mut message {
        fields.extend(place.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    write(&mut message, &formatted, markup);
    let sent = SentMessage {
        chat_id: chat.id,
        message_id,
        text: formatted.text,
        edits: 0,
        json: message,
        params: params.as_value().clone(),
    };
    telegram.record_message(&mut state, &sent);
    let person = state.people.get(&chat.id).cloned();
    // Told before anybody can react to it.
    telegram.tell(|| {
        let (text, buttons) = (sent.text.clone(), labels(&sent));
        Some(Exchange::Answered { chat_id: chat.id, person, text, buttons })
    });
    drop(state);
    telegram.changed();
    Ok(sent.json)
}

fn edit_message_text(telegram: &Telegram, params: &Params) -> Answer {
    let formatted = formatted_text(params)?;
    let markup = reply_markup(params)?;
    if params.text("inline_message_id").is_some() {
        return Ok(json!(true));
    }
    let mut state = telegram.state();
    let chat = reachable_chat(telegram, &state, params)?;
    let not_found = || Refusal::bad_request("message to edit not found");
    let message_id = params.number("message_id").ok_or_else(not_found)?;
    let message = state.message_mut(chat.id, message_id).ok_or_else(not_found)?;
    let mut edited = message.json.clone();
    write(&mut edited, &formatted, markup);
    if edited == message.json {
        return Err(Refusal::bad_request(
            "message is not modified: specified new message content and reply markup are exactly \
             the same as a current content and reply markup of the message",
        ));
    }
    if let Value::Object(fields) = &mut edited {
        fields.insert("edit_date".into(), json!(telegram.now()));
    }
    message.json = edited;
    message.text = formatted.text;
    message.edits += 1;
    message.params = params.as_value().clone();
    let edited = message.clone();
    if !edited.buttons().is_empty() {
        state.last_buttons.insert(chat.id, edited.clone());
    }
    let person = state.people.get(&chat.id).cloned();
    telegram.tell(|| {
        let (text, buttons) = (edited.text.clone(), labels(&edited));
        Some(Exchange::Edited { chat_id: chat.id, person, text, buttons })
    });
    drop(state);
    telegram.changed();
    Ok(edited.json)
}

fn send_chat_action(telegram: &Telegram, params: &Params) -> Answer {
    reachable_chat(telegram, &telegram.state(), params)?;
    match params.text("action") {
        Some(_) => Ok(json!(true)),
        None => Err(Refusal::bad_request("wrong parameter action in request")),
    }
}

fn set_my_commands(telegram: &Telegram, params: &Params) -> Answer {
    let commands = params.json("commands").filter(Value::is_array);
    let commands = commands.ok_or_else(|| Refusal::bad_request("can't parse commands list"))?;
    for command in commands.as_array().into_iter().flatten() {
        check_command(command)?;
    }
    telegram.state().commands.insert(command_scope(params), commands);
    telegram.changed();
    Ok(json!(true))
}

fn delete_my_commands(telegram: &Telegram, params: &Params) -> Answer {
    telegram.state().commands.remove(&command_scope(params));
    telegram.changed();
    Ok(json!(true))
}

fn get_my_commands(telegram: &Telegram, params: &Params) -> Answer {
    Ok(telegram.state().commands.get(&command_scope(params)).cloned().unwrap_or_else(|| json!([])))
}

fn get_chat(telegram: &Telegram, params: &Params) -> Answer {
    let state = telegram.state();
    let mut chat = json!(known_chat(telegram, &state, params)?);
    if let Value::Object(fields) = &mut chat {
        fields.insert("accent_color_id".into(), json!(0));
        fields.insert("max_reaction_count".into(), json!(11));
    }
    Ok(chat)
}

fn need(params: &Params, name: &str) -> Answer {
    match params.get(name) {
        Some(_) => Ok(json!(true)),
        None => Err(Refusal::bad_request(&format!("parameter \"{name}\" is required"))),
    }
}

/// A list of strings, which forms send as JSON in a text.
pub(crate) fn string_list(params: &Params, name: &str) -> Option<Vec<String>> {
    serde_json::from_value(params.json(name)?).ok()
}

/// The key of a command list: Telegram keeps one per scope and language.
pub(crate) fn command_scope(params: &Params) -> String {
    let scope = params.json("scope").unwrap_or_else(|| json!({ "type": "default" }));
    format!("{scope} {}", params.text("language_code").unwrap_or_default())
}

fn check_command(command: &Value) -> Result<(), Refusal> {
    let text = |field| command.get(field).and_then(Value::as_str).unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let name = text("command");
    let name = name.strip_prefix('/').unwrap_or(name);
    if !(1..=32).contains(&name.len()) || !name.chars().all(is_letter) {
        return Err(Refusal::bad_request("BOT_COMMAND_INVALID"));
    }
    if !(1..=256).contains(&text("description").chars().count()) {
        return Err(Refusal::bad_request("BOT_COMMAND_DESCRIPTION_INVALID"));
    }
    Ok(())
}

/// The text of a message without its markup, if Telegram would take it.
fn formatted_text(params: &Params) -> Result<Formatted, Refusal> {
    let text = params.text("text").unwrap_or_default();
    let formatted = match params.text("parse_mode").map(str::to_lowercase).as_deref() {
        Some("html") => parse_html(text)
            .map_err(|reason| Refusal::bad_request(&format!("can't parse entities: {reason}")))?,
        None | Some("markdown" | "markdownv2") => {
            Formatted { text: text.to_owned(), entities: vec![] }
        }
        Some(_) => return Err(Refusal::bad_request("unsupported parse_mode")),
    };
    if formatted.text.trim().is_empty() {
        return Err(Refusal::bad_request("message text is empty"));
    }
    if formatted.text.encode_utf16().count() > 4096 {
        return Err(Refusal::bad_request("message is too long"));
    }
    Ok(formatted)
}

/// The keyboard below a message, if Telegram would take it.
fn reply_markup(params: &Params) -> Result<Option<Value>, Refusal> {
    if params.get("reply_markup").is_none() {
        return Ok(None);
    }
    let markup = params.json("reply_markup").filter(Value::is_object);
    let markup = markup.ok_or_else(|| Refusal::bad_request("object expected as reply markup"))?;
    let Some(rows) = markup.get("inline_keyboard") else { return Ok(None) };
    let rows: Vec<Vec<Value>> = serde_json::from_value(rows.clone()).map_err(|_| {
        Refusal::bad_request("inline keyboard must be an array of arrays of buttons")
    })?;
    rows.iter().flatten().try_for_each(check_button)?;
    Ok(Some(markup))
}

fn check_button(button: &Value) -> Result<(), Refusal> {
    let text = |field| button.get(field).and_then(Value::as_str);
    if text("text").is_none_or(str::is_empty) {
        return Err(Refusal::bad_request("can't parse inline keyboard button: text is empty"));
    }
    if text("callback_data").is_some_and(|data| !(1..=64).contains(&data.len())) {
        return Err(Refusal::bad_request("BUTTON_DATA_INVALID"));
    }
    if button.as_object().is_none_or(|fields| fields.len() < 2) {
        return Err(Refusal::bad_request("text buttons are unallowed in the inline keyboard"));
    }
    Ok(())
}

fn known_chat(telegram: &Telegram, state: &State, params: &Params) -> Result<Chat, Refusal> {
    let Some(given) = params.get("chat_id") else {
        return Err(Refusal::bad_request("chat_id is empty"));
    };
    let id = params.number("chat_id");
    let chat = match (id, given.as_str().and_then(|name| name.strip_prefix('@'))) {
        (Some(id), _) => state.chats.get(&id).cloned(),
        (None, Some(name)) => find_public(state, name),
        (None, None) => None,
    };
    match (chat, id) {
        (Some(chat), _) => Ok(chat),
        (None, Some(id)) if !telegram.setup.strict_chats => Ok(unseen_chat(id)),
        _ => Err(Refusal::bad_request("chat not found")),
    }
}

/// People cannot be addressed by username, groups and channels can.
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

fn reachable_chat(telegram: &Telegram, state: &State, params: &Params) -> Result<Chat, Refusal> {
    let chat = known_chat(telegram, state, params)?;
    state.places.check_chat(chat.id)?;
    let reason = match state.out_of_reach.get(&chat.id) {
        Some(OutOfReach::Blocked) => "bot was blocked by the user",
        Some(OutOfReach::Deactivated) => "user is deactivated",
        Some(OutOfReach::Removed) if chat.kind == ChatKind::Channel => {
            "bot is not a member of the channel chat"
        }
        Some(OutOfReach::Removed) => "bot was kicked from the group chat",
        None if state.people.get(&chat.id).is_some_and(|person| person.is_bot) => {
            "bot can't send messages to bots"
        }
        None => return Ok(chat),
    };
    Err(Refusal::new(403, format!("Forbidden: {reason}")))
}

fn write(message: &mut Value, formatted: &Formatted, markup: Option<Value>) {
    let Value::Object(fields) = message else { return };
    fields.insert("text".into(), json!(formatted.text));
    if formatted.entities.is_empty() {
        fields.remove("entities");
    } else {
        fields.insert("entities".into(), json!(formatted.entities));
    }
    match markup {
        Some(markup) => fields.insert("reply_markup".into(), markup),
        None => fields.remove("reply_markup"),
    };
}

fn labels(message: &SentMessage) -> Vec<String> {
    message.buttons().into_iter().map(|button| button.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::Bot;
    use crate::{Fault, Person, Simulator, Update};

    async fn start() -> (Simulator, Bot) {
        let telegram = Simulator::start().await.unwrap();
        let bot = Bot::of(&telegram);
        (telegram, bot)
    }

    fn ann() -> Person {
        Person::new(42, "Ann").username("ann")
    }

    fn ids(updates: &[Value]) -> Vec<i64> {
        updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
    }

    #[tokio::test]
    async fn updates_come_again_until_an_offset_confirms_them() {
        let (telegram, bot) = start().await;
        let first = telegram.write(&ann(), "one");
        let second = telegram.write(&ann(), "two");
        let third = telegram.write(&ann(), "three");

        assert_eq!(ids(&bot.updates(json!({})).await), [first, second, third]);
        assert_eq!(ids(&bot.updates(json!({ "limit": 2 })).await), [first, second]);
        assert_eq!(ids(&bot.updates(json!({ "limit": 0 })).await), [first]);
        assert_eq!(ids(&bot.updates(json!({ "offset": second })).await), [second, third]);
        assert_eq!((telegram.confirmed(), telegram.pending()), (second, 2));
        assert!(telegram.is_confirmed(first) && !telegram.is_confirmed(second));

        assert_eq!(ids(&bot.updates(json!({ "offset": -1 })).await), [third]);
        telegram.wait_until_confirmed(second).await.unwrap();
        assert!(bot.updates(json!({ "offset": third + 1 })).await.is_empty());
        telegram.wait_until_drained().await.unwrap();
    }

    #[tokio::test]
    async fn a_hundred_updates_come_at_most() {
        let (telegram, bot) = start().await;
        for _ in 0..150 {
            telegram.write(&ann(), "hi");
        }
        assert_eq!(bot.updates(json!({ "limit": 1000 })).await.len(), 100);
    }

    #[tokio::test]
    async fn a_long_poll_ends_with_the_first_update_or_its_timeout() {
        let (telegram, bot) = start().await;
        let polling = tokio::spawn({
            let bot = bot.clone();
            async move { bot.updates(json!({ "timeout": 30 })).await }
        });
        telegram.wait_until_polled().await.unwrap();
        let update = telegram.write(&ann(), "hi");
        assert_eq!(ids(&polling.await.unwrap()), [update]);

        let began = std::time::Instant::now();
        assert!(bot.updates(json!({ "offset": update + 1, "timeout": 1 })).await.is_empty());
        assert!(began.elapsed() >= Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_second_get_updates_ends_the_first() {
        let (telegram, bot) = start().await;
        let first = tokio::spawn({
            let bot = bot.clone();
            async move { bot.call("getUpdates", json!({ "timeout": 30 })).await }
        });
        telegram.wait_until_polled().await.unwrap();

        assert!(bot.updates(json!({})).await.is_empty());
        let (status, answer) = first.await.unwrap();
        assert_eq!((status, answer["description"].as_str().unwrap()), (409, OTHER_POLL));
    }

    #[tokio::test]
    async fn allowed_updates_are_remembered_and_their_default_leaves_kinds_out() {
        let (telegram, bot) = start().await;
        let group = Chat::supergroup(-1_001, "Rink");
        let reaction = || Update::reaction(&ann(), &group, 1, "👍");

        let refused = telegram.push(reaction());
        let error = telegram.wait_until_confirmed(refused).await.unwrap_err().to_string();
        assert!(error.contains("allowed_updates leave message_reaction out"), "{error}");

        bot.updates(json!({ "allowed_updates": ["message_reaction"] })).await;
        telegram.write(&ann(), "not wanted");
        let wanted = telegram.push(reaction());
        let unknown = telegram.push(Update::new("telepathy", json!({ "from": ann() })));
        assert_eq!(ids(&bot.updates(json!({})).await), [wanted, unknown]);

        bot.updates(json!({ "allowed_updates": [] })).await;
        telegram.push(reaction());
        let text = telegram.write(&ann(), "wanted again");
        assert_eq!(ids(&bot.updates(json!({ "offset": unknown + 1 })).await), [text]);
    }

    #[tokio::test]
    async fn tokens_are_checked() {
        let (telegram, bot) = start().await;
        let status = async |bot: Bot| bot.call("getMe", json!({})).await.0;
        assert_eq!(status(bot.clone()).await, 200);
        assert_eq!(status(bot.with_token("123456789:SIMULATED-of-somebody-else")).await, 401);
        assert_eq!(status(bot.with_token("nonsense")).await, 404);

        let polling = tokio::spawn({
            let bot = bot.clone();
            async move { bot.call("getUpdates", json!({ "timeout": 30 })).await.0 }
        });
        telegram.wait_until_polled().await.unwrap();
        telegram.revoke_token();
        assert_eq!(polling.await.unwrap(), 401);
        let answer = bot.call("getMe", json!({})).await;
        let unauthorized = json!({ "ok": false, "error_code": 401, "description": "Unauthorized" });
        assert_eq!(answer, (401, unauthorized));
    }

    #[tokio::test]
    async fn servers_differ() {
        let builder = Simulator::builder().bot_id(77).get_me_without("is_bot");
        let telegram = builder.without_method("setMyCommands").start().await.unwrap();
        let bot = Bot::of(&telegram);
        let (_, me) = bot.call("GETME", json!({})).await;
        assert_eq!(me["result"]["id"], 77);
        assert!(me["result"].get("is_bot").is_none());
        assert_eq!(bot.call("setMyCommands", json!({})).await.0, 404);
        let (status, answer) = bot.call("sendTelepathy", json!({})).await;
        assert_eq!((status, &answer["description"]), (404, &json!("Not Found: method not found")));
    }

    #[tokio::test]
    async fn a_conversation() {
        let (telegram, bot) = start().await;
        telegram.write(&ann(), "/start");
        let keyboard = json!({ "inline_keyboard": [[{ "text": "Next", "callback_data": "n" }]] });
        let text = json!({
            "chat_id": 42, "text": "Hi <b>Ann</b>", "parse_mode": "HTML", "reply_markup": keyboard,
        });
        bot.call("sendMessage", text).await;
        let message = telegram.wait_for_message(42).await.unwrap();
        assert_eq!(message.text, "Hi Ann");
        assert_eq!(message.json["entities"][0]["type"], "bold");

        telegram.press(&ann(), &message, &message.button("Next").unwrap());
        let press = &bot.updates(json!({ "offset": -1 })).await[0]["callback_query"];
        assert_eq!((&press["data"], &press["message"]), (&json!("n"), &message.json));
        bot.call("answerCallbackQuery", json!({ "callback_query_id": press["id"] })).await;
        let edit = json!({ "chat_id": 42, "message_id": message.message_id, "text": "Page 2" });
        bot.call("editMessageText", edit.clone()).await;
        assert_eq!(telegram.wait_for_edit(&message).await.unwrap().text, "Page 2");
        let (status, answer) = bot.call("editMessageText", edit).await;
        assert_eq!(status, 400, "{answer}");
        assert_eq!(telegram.texts_to(42), ["Page 2"]);
        assert_eq!(telegram.requests_to("editmessagetext").len(), 2);
    }

    #[tokio::test]
    async fn each_wait_for_a_message_answers_the_next_one() {
        let (telegram, bot) = start().await;
        telegram.introduce(&ann());
        for text in ["one", "two"] {
            bot.call("sendMessage", json!({ "chat_id": 42, "text": text })).await;
        }
        assert_eq!(telegram.wait_for_message(42).await.unwrap().text, "one");
        assert_eq!(telegram.wait_for_message(42).await.unwrap().text, "two");
    }

    #[tokio::test]
    async fn a_wait_in_vain_says_what_was_there_instead() {
        let builder = Simulator::builder().patience(Duration::from_millis(20));
        let telegram = builder.start().await.unwrap();
        let update = telegram.write(&ann(), "hi");
        let error = telegram.wait_until_confirmed(update).await.unwrap_err();
        assert_eq!(
            format!("{error:?}"),
            "waited for update 500000001: not within 0.02 s: 1 are pending and the bot has \
             confirmed up to 0"
        );
        telegram.wait_for_message(42).await.unwrap_err();
        telegram.wait_for("the moon", |_| None::<()>).await.unwrap_err();
    }

    #[tokio::test]
    async fn texts_are_refused_as_by_telegram() {
        let (telegram, bot) = start().await;
        telegram.introduce(&ann());
        let bob = Person::new(43, "Bob");
        telegram.introduce(&bob);
        telegram.block(&bob);
        telegram.introduce(&Person::new(44, "Eve"));
        telegram.deactivate(&Person::new(44, "Eve"));
        telegram.introduce(&Person::new(45, "R2D2").bot());

        let sent = async |chat_id: i64, text: &str| {
            let text = json!({ "chat_id": chat_id, "text": text, "parse_mode": "HTML" });
            let (_, answer) = bot.call("sendMessage", text).await;
            answer["description"].as_str().unwrap_or("sent").to_owned()
        };
        assert_eq!(sent(42, "Ann &amp; Co").await, "sent");
        assert_eq!(
            sent(42, "Ann & Co").await,
            "Bad Request: can't parse entities: Unescaped \"&\" at byte offset 4"
        );
        assert_eq!(sent(42, "<b> </b>").await, "Bad Request: message text is empty");
        assert_eq!(sent(42, &"🏒".repeat(2048)).await, "sent");
        assert_eq!(sent(42, &"🏒".repeat(2049)).await, "Bad Request: message is too long");
        assert_eq!(sent(7, "hi").await, "Bad Request: chat not found");
        assert_eq!(sent(43, "hi").await, "Forbidden: bot was blocked by the user");
        assert_eq!(sent(44, "hi").await, "Forbidden: user is deactivated");
        assert_eq!(sent(45, "hi").await, "Forbidden: bot can't send messages to bots");

        telegram.unblock(&bob);
        assert_eq!(sent(43, "hi").await, "sent");
        telegram.fail_next("sendMessage", Fault::too_many_requests(100_000));
        assert_eq!(sent(42, "hi").await, "Too Many Requests: retry after 100000");
    }

    #[tokio::test]
    async fn commands_are_kept() {
        let (telegram, bot) = start().await;
        let commands = json!([{ "command": "start", "description": "Begin" }]);
        bot.call("setMyCommands", json!({ "commands": commands })).await;
        assert_eq!(telegram.commands(), [("start".to_owned(), "Begin".to_owned())]);
        assert_eq!(bot.call("getMyCommands", json!({})).await.1["result"], commands);
        let wrong = json!([{ "command": "Not one", "description": "" }]);
        assert_eq!(bot.call("setMyCommands", json!({ "commands": wrong })).await.0, 400);
        bot.call("deleteMyCommands", json!({})).await;
        assert!(telegram.commands().is_empty());
    }
}
