//! What the bot has done.

use std::collections::HashMap;

use serde_json::Value;

use super::instance::Simulator;
use crate::methods::command_scope;
use crate::params::Params;
use crate::record::{Request, SentMessage};

/// Updates, calls, messages and commands.
impl Simulator {
    /// The highest offset that the bot has confirmed, at first 0. Updates with smaller ids are gone.
    pub fn confirmed(&self) -> i64 {
        self.telegram().state().queue.confirmed()
    }

    /// Whether the bot has confirmed an update, or its webhook accepted it.
    pub fn is_confirmed(&self, update_id: i64) -> bool {
        self.telegram().state().queue.is_done(update_id)
    }

    /// Whether an update is being delivered to the webhook.
    pub fn is_in_flight(&self, update_id: i64) -> bool {
        self.telegram().state().queue.is_in_flight(update_id)
    }

    /// Whether getUpdates has returned an update, confirmed or not.
    pub fn was_fetched(&self, update_id: i64) -> bool {
        self.telegram().state().queue.was_fetched(update_id)
    }

    /// How many updates getUpdates has returned, repeated ones included.
    pub fn fetched(&self) -> u64 {
        self.telegram().state().queue.fetched_in_all()
    }

    /// How many updates wait for the bot.
    pub fn pending(&self) -> usize {
        self.telegram().state().queue.len()
    }

    /// The id of the next update.
    pub fn next_update_id(&self) -> i64 {
        self.telegram().state().queue.next_id()
    }

    /// The ids of the updates that a webhook has accepted, in this order.
    pub fn delivered(&self) -> Vec<i64> {
        self.telegram().state().queue.delivered()
    }

    /// The recorded calls, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        self.telegram().state().requests(|_| true)
    }

    /// The recorded calls of one method, oldest first.
    pub fn requests_to(&self, method: &str) -> Vec<Request> {
        self.telegram().state().requests(|request| request.method.eq_ignore_ascii_case(method))
    }

    /// How often a method was called, including calls that are not recorded.
    pub fn calls(&self, method: &str) -> u64 {
        self.telegram().state().calls(method)
    }

    /// Deletes the recorded calls; messages and counts stay.
    pub fn forget_requests(&self) {
        self.telegram().state().requests.clear();
    }

    /// The bot's messages in a chat, as they are now, oldest first.
    pub fn messages_to(&self, chat_id: i64) -> Vec<SentMessage> {
        self.telegram().state().messages.in_chat(chat_id).cloned().collect()
    }

    /// How many messages the bot has sent to each chat, including those that are not recorded.
    pub fn messages_per_chat(&self) -> HashMap<i64, u64> {
        self.telegram().state().messages.per_chat().clone()
    }

    /// How many messages the bot has sent in all.
    pub fn message_count(&self) -> u64 {
        self.telegram().state().messages.count()
    }

    /// How many of them it sent with `allow_paid_broadcast`.
    pub fn paid_message_count(&self) -> u64 {
        self.telegram().state().messages.paid()
    }

    /// The texts of [`messages_to`](Self::messages_to).
    pub fn texts_to(&self, chat_id: i64) -> Vec<String> {
        self.messages_to(chat_id).into_iter().map(|message| message.text).collect()
    }

    /// The default list of commands, with their descriptions.
    pub fn commands(&self) -> Vec<(String, String)> {
        let scope = command_scope(&Params::default());
        let commands = self.telegram().state().commands.get(&scope).cloned().unwrap_or_default();
        let text = |command: &Value, field| {
            command.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let commands = commands.as_array().cloned().unwrap_or_default();
        commands.iter().map(|c| (text(c, "command"), text(c, "description"))).collect()
    }
}
