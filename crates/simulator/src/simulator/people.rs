//! What a test can let people do, and which faults it can inject.

use tokio::sync::broadcast;

use super::instance::Simulator;
use crate::chat_event::ChatEvent;
use crate::people::{Chat, Person};
use crate::record::SentMessage;
use crate::state::UnreachableReason;
use crate::telegram::raw_incoming;
use crate::update::Update;

/// Actions of people.
impl Simulator {
    /// A person whose name, language and username depend only on `id`.
    pub fn person(&self, id: i64) -> Person {
        Person::generated(id)
    }

    /// Sends an update to the bot and returns its id. If the bot does not want its kind, it is not
    /// queued, and a wait for its confirmation fails with that reason.
    pub fn push(&self, update: impl Into<Update>) -> i64 {
        self.telegram().push(update.into())
    }

    /// Sends any text as an update, even if it is not JSON, and returns its id: the `update_id` in
    /// it, or the next one. It is queued whatever its kind, and it opens no chat.
    pub fn push_raw(&self, json: impl Into<String>) -> i64 {
        self.telegram().enqueue([raw_incoming(json.into())])
    }

    /// A person writes a text to the bot.
    pub fn write(&self, person: &Person, text: &str) -> i64 {
        self.push(Update::text(person, text))
    }

    /// A person presses a button of one of the bot's messages.
    pub fn press(&self, person: &Person, message: &SentMessage, data: &str) -> i64 {
        let message = message.json.clone();
        // The bot answers each press by its id, which must be unique.
        let id = self.telegram().next_message_id().to_string();
        self.push(Update::callback_query(person, data).with("message", message).with("id", id))
    }

    /// A person blocks the bot: the bot receives an update and cannot write to them any more.
    pub fn block(&self, person: &Person) -> i64 {
        self.push(Update::blocked(person))
    }

    /// A person unblocks the bot, which receives an update.
    pub fn unblock(&self, person: &Person) -> i64 {
        self.push(Update::unblocked(person))
    }

    /// A person's account is deleted. There is no update, and the bot cannot write to them any more.
    pub fn deactivate(&self, person: &Person) {
        self.telegram().state().unreachable.insert(person.id, UnreachableReason::Deactivated);
        self.telegram().changed();
    }

    /// Adds a person who wrote to the bot in the past, so the bot may write to them.
    pub fn introduce(&self, person: &Person) {
        self.telegram().introduce(person);
    }

    /// Adds a group or channel of which the bot is a member.
    pub fn introduce_chat(&self, chat: &Chat) {
        self.telegram().state().chats.insert(chat.id, chat.clone());
    }

    /// Deletes a message of a person or the bot: the bot can neither copy nor edit it any more.
    pub fn delete_message(&self, chat_id: i64, message_id: i64) {
        let mut state = self.telegram().state();
        state.originals.remove(chat_id, message_id);
        state.messages.remove(chat_id, message_id);
    }

    /// Closes a topic: the bot cannot write in it any more.
    pub fn close_topic(&self, chat: &Chat, thread: i64) {
        self.telegram().state().places.close_topic(chat.id, thread);
    }

    /// Deletes a topic.
    pub fn delete_topic(&self, chat: &Chat, thread: i64) {
        self.telegram().state().places.delete_topic(chat.id, thread);
    }

    /// Turns a group into a supergroup, to which the bot has to write from now on. For the service
    /// messages about it, push [`Update::migrated`].
    pub fn migrate(&self, group: &Chat, supergroup: &Chat) {
        let mut state = self.telegram().state();
        state.places.migrate(group.id, supergroup.id);
        state.chats.insert(supergroup.id, supergroup.clone());
    }

    /// Receives every event from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<ChatEvent> {
        self.telegram().subscribe()
    }
}
