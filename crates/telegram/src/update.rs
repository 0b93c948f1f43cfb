//! Reads updates (Bot API, "Update"): each by itself, and only the fields that we use. So an unknown
//! kind or field blocks nothing.

mod command;
mod kinds;
mod message;
mod redact;
mod wire;

use std::borrow::Cow;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rollcall_domain::{
    BroadcastButton, Chat, ChatKind, Event, Interaction, InteractionKind, Profile,
    QuarantinedUpdate, TelegramId, Username,
};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use command::Command;
#[cfg(feature = "client")]
pub(crate) use kinds::allowed_updates;
pub use kinds::update_kinds;
pub use message::{NotCopied, PrivateMessage};

use crate::{
    destination::{Destination, MessagePlace, Migration, Topic},
    json::{Text, describe_error},
};
use kinds::{ACTORLESS_KINDS, meaning};
use wire::{Boost, Content, Envelope, Identity, InChat, Member, RawChat, Source, User};

/// Accounts that act for others: Telegram itself (channel posts in a discussion group),
/// GroupAnonymousBot and Channel_Bot.
const PSEUDO_USERS: [i64; 3] = [777_000, 1_087_968_824, 136_817_688];

/// How far an update's time may be ahead of this machine's clock.
const LARGEST_LEAD: TimeDelta = TimeDelta::days(1);

/// An update, as far as we use it.
#[derive(Debug, Default)]
pub(crate) struct Update<'a> {
    /// Its JSON as received.
    json: &'a str,
    received: DateTime<Utc>,
    /// The update's id; `None` if it has no numeric one.
    pub(crate) update_id: Option<i64>,
    /// What a user did, if any.
    pub(crate) interaction: Option<Interaction>,
    /// Whether the interaction's time comes from the update.
    pub(crate) is_dated: bool,
    /// The command for this bot, and where to answer it.
    pub(crate) command: Option<CommandMessage>,
    /// The bot that a command is addressed to, ours or another, if our bot knows the command.
    pub(crate) addressee: Option<Username>,
    /// A text that is not a command.
    pub(crate) text: Option<TextMessage>,
    /// The button press.
    pub(crate) press: Option<ButtonPress>,
    /// The migration of a group that the message announces.
    pub(crate) migration: Option<Migration>,
    /// Why the update could not be read in full, without any user's words.
    pub(crate) fault: Option<String>,
}

impl Update<'_> {
    /// The new message of this user in their private chat, if it is one, read in full.
    pub(crate) fn private_message(&self) -> Option<PrivateMessage> {
        message::read(self.json, self.private_chat()?)
    }

    /// The user who wrote a new message in their private chat.
    pub(crate) fn private_author(&self) -> Option<TelegramId> {
        self.private_chat()?;
        self.interaction.as_ref().map(Interaction::telegram_id)
    }

    fn private_chat(&self) -> Option<Chat> {
        use InteractionKind::{Command, Message, Text};
        let interaction = self.interaction.as_ref()?;
        let is_message = matches!(interaction.kind, Message | Text | Command);
        interaction.chat.filter(|chat| is_message && chat.kind == ChatKind::Private)
    }

    /// The update for the quarantine, with a `reason` that contains no user's words, and
    /// [without texts](without_texts). `None` if it has no id.
    pub(crate) fn quarantined(
        &self,
        reason: String,
        registered: bool,
    ) -> Option<QuarantinedUpdate> {
        let whole = self.whole(registered)?;
        Some(QuarantinedUpdate { reason, payload: without_texts(&whole.payload), ..whole })
    }

    /// The update with its texts, for the bot behind. `None` if it has no id.
    pub(crate) fn whole(&self, registered: bool) -> Option<QuarantinedUpdate> {
        Some(QuarantinedUpdate {
            update_id: self.update_id?,
            received_at: self.received,
            reason: String::new(),
            registered,
            telegram_id: self.interaction.as_ref().map(Interaction::telegram_id),
            payload: self.json.to_owned(),
            undelivered: false,
        })
    }
}

/// A command for the bot, and where to answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandMessage {
    /// The command.
    pub command: Command,
    /// The chat of the message.
    pub chat: Chat,
    /// The place of the message in the chat.
    pub from: Destination,
}

/// A new message with a text that is not a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextMessage {
    /// The text.
    pub text: String,
    /// The chat of the message.
    pub chat: Chat,
    /// The place of the message in the chat.
    pub from: Destination,
}

/// A press of a button (Bot API, "CallbackQuery").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ButtonPress {
    /// The id for the answer.
    pub id: String,
    /// The button's data, if it has any.
    pub data: Option<String>,
    /// The message with the button, if it is in a chat of the bot. It may have been deleted.
    pub message: Option<(Chat, MessagePlace)>,
    /// The text of that message, without its formatting.
    pub text: Option<String>,
    /// The buttons of that message, as the Bot API's JSON.
    pub buttons: Option<String>,
}

/// Returns the family of the bot's button with the given data; see
/// [`Handler::button_family`](crate::Handler::button_family).
pub(crate) type ButtonFamily<'n> = &'n dyn Fn(&str) -> Option<&'static str>;

/// Reads the JSON of one update that a bot with these commands and buttons received at `received`.
/// `own_name` is the bot's username, if known. Never fails: an unreadable part becomes the [`fault`](Update::fault), and
/// the rest is used.
pub(crate) fn read<'a>(
    json: &'a str,
    received: DateTime<Utc>,
    own_name: Option<&Username>,
    commands: &[&'static str],
    button_family: ButtonFamily<'_>,
) -> Update<'a> {
    let update = Update { json, received, ..Update::default() };
    let envelope = match serde_json::from_str::<Envelope>(json) {
        Ok(envelope) => envelope,
        Err(error) => return Update { fault: Some(describe_error(&error)), ..update },
    };
    let mut reader = Reader { own_name, commands, button_family, update };
    reader.update.update_id = envelope.update_id;
    if envelope.update_id.is_none() {
        reader.note("it has no update_id".to_owned());
    }
    if let Some((kind, content)) = envelope.content
        && !ACTORLESS_KINDS.contains(&kind.as_ref())
    {
        let interaction = reader.content(&kind, content);
        // Without an id it can neither be acknowledged nor recognised as a duplicate.
        let interaction = interaction.filter(|_| envelope.update_id.is_some());
        reader.update.interaction = interaction
            .map(|interaction| Interaction { update_id: envelope.update_id, ..interaction });
    }
    reader.update
}

/// The content of an update, whatever its kind; `None` if it has none.
pub(crate) fn content(json: &str) -> Option<&RawValue> {
    let (_, content) = serde_json::from_str::<Envelope>(json).ok()?.content?;
    Some(content)
}

/// The kind of an update; `None` if it has no content.
pub(crate) fn kind(json: &str) -> Option<Cow<'_, str>> {
    let (kind, _) = serde_json::from_str::<Envelope>(json).ok()?.content?;
    Some(kind)
}

/// The id of an update, without reading the rest.
pub(crate) fn update_id(json: &str) -> Option<i64> {
    serde_json::from_str::<Envelope>(json).ok()?.update_id
}

/// The JSON of an update in which every string that registration does not read, such as what users
/// wrote, is replaced by its length. Registration reads it as before.
pub fn without_texts(json: &str) -> String {
    redact::without_texts(json, kind(json).as_deref())
}

/// A quarantined update, read again by this version.
#[derive(Debug)]
pub struct Reread {
    /// The update's id; `None` if it has no numeric one.
    pub update_id: Option<i64>,
    /// What a user did, if any.
    pub interaction: Option<Interaction>,
    /// Why the update still cannot be read in full, without any user's words.
    pub fault: Option<String>,
}

/// Reads a quarantined update again, as of its arrival, for a bot with these commands and buttons.
///
/// The bot's name at that time is unknown. So a command with an addressee, such as `/start@our_bot ad`,
/// does not count as ours: otherwise the user could keep another bot's source forever. The user is
/// registered nevertheless.
pub fn reread(
    update: &QuarantinedUpdate,
    commands: &'static [&'static str],
    button_family: &dyn Fn(&str) -> Option<&'static str>,
) -> Reread {
    let Update { update_id, interaction, fault, .. } =
        read(&update.payload, update.received_at, None, commands, button_family);
    Reread { update_id, interaction, fault }
}

/// Reads one update's content, and fills the other fields of the update.
struct Reader<'a, 'n> {
    own_name: Option<&'n Username>,
    commands: &'n [&'static str],
    button_family: ButtonFamily<'n>,
    update: Update<'a>,
}

impl Reader<'_, '_> {
    fn content(&mut self, kind: &str, raw: &RawValue) -> Option<Interaction> {
        let content: Content = self.read(raw)?;
        let mut kind = meaning(kind);
        if kind == InteractionKind::Message {
            // A migration counts even if the sender cannot be registered.
            self.update.migration = self.migration(&content);
        }
        if content.sender_chat.is_some() {
            return None;
        }
        let text = content.text.and_then(|text| self.read::<Text>(text)).map(Text::into_string);
        if kind == InteractionKind::Message
            && let Some(text) = &text
        {
            kind = match text.starts_with('/') {
                true => InteractionKind::Command,
                false => InteractionKind::Text,
            };
        }
        let profile = self.actor(kind, &content)?;
        let at = self.time(kind, &content);
        let chat = self.chat(&content);
        let mut interaction = Interaction { chat, ..Interaction::new(at, profile, kind) };
        match kind {
            InteractionKind::Command => self.command(&text?, &content, &mut interaction),
            InteractionKind::Text => {
                self.update.text = text.zip(chat).map(|it| text_message(it, &content))
            }
            InteractionKind::MyChatMember => interaction.event = self.membership(chat, &content),
            InteractionKind::CallbackQuery => self.press(&content, &mut interaction),
            _ => {}
        }
        Some(interaction)
    }

    /// Reads a command, if the bot knows it and it is not for another bot.
    fn command(&mut self, text: &str, content: &Content, interaction: &mut Interaction) {
        let Some((mut command, addressee)) = Command::read(text, self.commands) else { return };
        let is_ours = match (&addressee, self.own_name) {
            (None, _) => true,
            (Some(addressee), Some(own_name)) => addressee.key() == own_name.key(),
            (Some(_), None) => false,
        };
        self.update.addressee = addressee;
        if !is_ours {
            return;
        }
        interaction.command = Some(command.name);
        let Some(chat) = interaction.chat else {
            return self.note("a command has no chat".to_owned());
        };
        if chat.kind == ChatKind::Private && command.name == "start" {
            let (payload, pressed) = BroadcastButton::of_payload(&command.argument);
            interaction.event = payload.parse().ok().map(Event::Start);
            if interaction.event.is_some() && pressed.is_some() {
                interaction.pressed = pressed;
                // The owner's payload, as if the button did not name itself.
                command.argument = payload.to_owned();
            }
        }
        let from = Destination { chat_id: chat.id, topic: self.topic(&content.place()) };
        self.update.command = Some(CommandMessage { command, chat, from });
    }

    /// Whether a user has blocked or unblocked the bot.
    fn membership(&mut self, chat: Option<Chat>, content: &Content) -> Option<Event> {
        chat.filter(|chat| chat.kind == ChatKind::Private)?;
        match self.read::<Member>(content.new_chat_member?)?.status.0.as_ref() {
            "kicked" => Some(Event::Blocked),
            "member" => Some(Event::Unblocked),
            _ => None,
        }
    }

    fn press(&mut self, content: &Content, interaction: &mut Interaction) {
        let id = content.id.and_then(|id| self.read::<Text>(id)).map(Text::into_string);
        let data = content.data.and_then(|data| self.read::<Text>(data)).map(Text::into_string);
        interaction.button = data.as_deref().and_then(self.button_family);
        let chat = interaction.chat;
        let pressed = content.message.and_then(|message| self.pressed(chat?, message));
        let Pressed { message, text, buttons } = pressed.unwrap_or_default();
        // Without an id it cannot be answered.
        self.update.press = id.map(|id| ButtonPress { id, data, message, text, buttons });
    }

    fn pressed(&mut self, chat: Chat, message: &RawValue) -> Option<Pressed> {
        let message: InChat = self.read(message)?;
        // No button needs the text of its message, so an odd text is no fault.
        let text = message.text.and_then(|text| serde_json::from_str::<Text>(text.get()).ok());
        let message_id = self.read(message.message_id?)?;
        let destination = Destination { chat_id: chat.id, topic: self.topic(&message) };
        Some(Pressed {
            message: Some((chat, MessagePlace { destination, message_id })),
            text: text.map(Text::into_string),
            buttons: message.reply_markup.map(|markup| markup.get().to_owned()),
        })
    }

    fn topic(&mut self, message: &InChat) -> Option<Topic> {
        message.topic().unwrap_or_else(|error| {
            self.note(describe_error(&error));
            None
        })
    }

    /// Telegram announces a migration in the group and in the supergroup.
    fn migration(&mut self, content: &Content) -> Option<Migration> {
        let (to, from) = (content.migrate_to_chat_id, content.migrate_from_chat_id);
        to.or(from)?;
        let here = self.chat(content)?.id;
        match (to, from) {
            (Some(to), _) => Some(Migration { from: here, to: self.read(to)? }),
            (None, Some(from)) => Some(Migration { from: self.read(from)?, to: here }),
            (None, None) => None,
        }
    }

    /// The acting user: `from`, else `user`, else the user of a boost.
    fn actor(&mut self, kind: InteractionKind, content: &Content) -> Option<Profile> {
        if kind == InteractionKind::StoppedMessageGeneration {
            return self.partner(content);
        }
        let user = match (content.from.or(content.user), content.source, content.boost) {
            (Some(user), _, _) => user,
            (None, Some(source), _) => self.read::<Source>(source)?.user?,
            (None, None, boost) => {
                let source = self.read::<Boost>(boost?)?.source?;
                self.read::<Source>(source)?.user?
            }
        };
        self.profile(user)
    }

    /// The user of a private chat. A chat has the fields of a user, except the language.
    fn partner(&mut self, content: &Content) -> Option<Profile> {
        let is_private = self.chat(content)?.kind == ChatKind::Private;
        self.profile(content.chat.filter(|_| is_private)?)
    }

    fn profile(&mut self, raw: &RawValue) -> Option<Profile> {
        let user = match self.read::<User>(raw) {
            Some(user) => user,
            // Another field is invalid; the id may still be readable.
            None => User::of_id(serde_json::from_str::<Identity>(raw.get()).ok()?.id),
        };
        if PSEUDO_USERS.contains(&user.id) {
            return None;
        }
        match TelegramId::try_from(user.id) {
            Ok(id) => Some(user.profile(id)),
            Err(_) => {
                self.note("a user's id is out of range".to_owned());
                None
            }
        }
    }

    /// The update's own time, or else the second of its receipt, because Telegram's times are in seconds.
    fn time(&mut self, kind: InteractionKind, content: &Content) -> DateTime<Utc> {
        use InteractionKind::{BusinessConnection, EditedBusinessMessage, EditedMessage};
        let field = match kind {
            EditedMessage | EditedBusinessMessage => content.edit_date,
            // Its date is when the connection was created, not when it changed.
            BusinessConnection => None,
            _ => content.date,
        };
        let seconds = field.and_then(|date| self.read::<i64>(date));
        let own = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        // Telegram sends 0 for an unknown time. A time days ahead is invalid.
        let latest = self.update.received + LARGEST_LEAD;
        let own = own.filter(|own| *own > DateTime::UNIX_EPOCH && *own <= latest);
        self.update.is_dated = own.is_some();
        own.unwrap_or_else(|| self.update.received.trunc_subsecs(0))
    }

    fn chat(&mut self, content: &Content) -> Option<Chat> {
        let raw = match content.chat {
            Some(chat) => chat,
            // The chat of a callback query is that of the message with the button.
            None => {
                let message = self.read::<InChat>(content.message?)?;
                if message.business_connection_id.is_some() {
                    // A chat between the user and a business account, not with the bot.
                    return None;
                }
                message.chat?
            }
        };
        let chat: RawChat = self.read(raw)?;
        let kind = match chat.kind.as_ref().map(|Text(kind)| kind.as_ref()) {
            Some("private") => ChatKind::Private,
            Some("group") => ChatKind::Group,
            Some("supergroup") => ChatKind::Supergroup,
            Some("channel") => ChatKind::Channel,
            _ => ChatKind::Other,
        };
        Some(Chat { id: chat.id, kind })
    }

    fn read<'a, T: Deserialize<'a>>(&mut self, raw: &'a RawValue) -> Option<T> {
        serde_json::from_str(raw.get()).map_err(|error| self.note(describe_error(&error))).ok()
    }

    fn note(&mut self, fault: String) {
        self.update.fault.get_or_insert(fault);
    }
}

/// The message with a pressed button.
#[derive(Default)]
struct Pressed {
    message: Option<(Chat, MessagePlace)>,
    text: Option<String>,
    buttons: Option<String>,
}

/// A text with its place. Few texts are answered, so an unreadable topic is no fault of the update.
fn text_message((text, chat): (String, Chat), content: &Content) -> TextMessage {
    let topic = content.place().topic().unwrap_or_default();
    TextMessage { text, chat, from: Destination { chat_id: chat.id, topic } }
}

#[cfg(test)]
mod tests;
