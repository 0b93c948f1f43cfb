//! Reading updates (Bot API, "Update"): each by itself, and no more of it than is needed, so that
//! a kind or a field that this version does not know holds nothing up.

use std::borrow::Cow;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rollcall_domain::{
    Chat, ChatKind, Event, Interaction, InteractionKind, Profile, SetAside, TelegramId,
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{client::place, lossy::Text};

/// Every kind that we ask Telegram for, and what it means. Kinds that name nobody (channel posts,
/// polls, reaction counts) are left out; what Telegram sends all the same is recognised by shape.
const KINDS: &[(&str, InteractionKind)] = &[
    ("message", InteractionKind::Message),
    ("edited_message", InteractionKind::EditedMessage),
    ("callback_query", InteractionKind::CallbackQuery),
    ("inline_query", InteractionKind::InlineQuery),
    ("chosen_inline_result", InteractionKind::ChosenInlineResult),
    ("shipping_query", InteractionKind::ShippingQuery),
    ("pre_checkout_query", InteractionKind::PreCheckoutQuery),
    ("poll_answer", InteractionKind::PollAnswer),
    ("my_chat_member", InteractionKind::MyChatMember),
    ("chat_member", InteractionKind::ChatMember),
    ("chat_join_request", InteractionKind::ChatJoinRequest),
    ("message_reaction", InteractionKind::MessageReaction),
    ("business_connection", InteractionKind::BusinessConnection),
    ("business_message", InteractionKind::BusinessMessage),
    ("edited_business_message", InteractionKind::EditedBusinessMessage),
    ("purchased_paid_media", InteractionKind::PurchasedPaidMedia),
    ("chat_boost", InteractionKind::ChatBoost),
    ("removed_chat_boost", InteractionKind::RemovedChatBoost),
    ("guest_message", InteractionKind::GuestMessage),
    ("managed_bot", InteractionKind::ManagedBot),
    ("subscription", InteractionKind::Subscription),
];

/// Kinds that are nobody's doing, whatever fields they have.
const NOBODYS: &[&str] = &["channel_post", "edited_channel_post", "poll", "message_reaction_count"];

/// Accounts that stand for somebody else: Telegram itself (channel posts in a discussion group),
/// GroupAnonymousBot and Channel_Bot.
const PSEUDO_USERS: [i64; 3] = [777_000, 1_087_968_824, 136_817_688];

/// By how much a time that an update tells may be ahead of this machine's clock.
const LARGEST_LEAD: TimeDelta = TimeDelta::days(1);

/// Whether this version knows the kind; an update has one, and may have other fields some day.
fn is_known(kind: &str) -> bool {
    NOBODYS.contains(&kind) || KINDS.iter().any(|(name, _)| *name == kind)
}

/// The kinds to ask for, as `allowed_updates` takes them.
pub(crate) fn allowed_updates() -> Vec<&'static str> {
    KINDS.iter().map(|(name, _)| *name).collect()
}

/// What we take from an update.
#[derive(Debug, Default)]
pub(crate) struct Update<'a> {
    /// Its JSON, as it came.
    json: &'a str,
    received: DateTime<Utc>,
    /// The update's id; `None` where it has none that is a number.
    pub(crate) update_id: Option<i64>,
    /// Who did what, if anybody did.
    pub(crate) interaction: Option<Interaction>,
    /// Whether the interaction's time is one that the update tells.
    pub(crate) is_dated: bool,
    /// What was typed and where, if it starts like a command.
    pub(crate) command: Option<CommandMessage>,
    /// The button that was pressed.
    pub(crate) press: Option<Press>,
    /// Why the update could not be read in full, in words that quote nobody.
    pub(crate) fault: Option<String>,
}

impl Update<'_> {
    /// The update as it came, to be kept for `reason`, which quotes nobody; `None` where it has no
    /// id to keep it by.
    pub(crate) fn set_aside(&self, reason: String, registered: bool) -> Option<SetAside> {
        Some(SetAside {
            update_id: self.update_id?,
            received_at: self.received,
            reason,
            registered,
            telegram_id: self.interaction.as_ref().map(Interaction::telegram_id),
            payload: self.json.to_owned(),
        })
    }
}

/// A message that starts like a command, and where to answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandMessage {
    pub(crate) text: String,
    pub(crate) chat: Chat,
    /// The topic, in a group that has topics.
    pub(crate) topic: Option<i32>,
}

/// A button that was pressed (Bot API, "CallbackQuery").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Press {
    /// What it is answered by.
    pub(crate) id: String,
    /// The button's data, if it has any.
    pub(crate) data: Option<String>,
    /// The bot's message below which the button is, if that is in a chat of the bot's.
    pub(crate) message: Option<(Chat, i32)>,
}

/// Reads the JSON of one update that was received at `received`. Never fails: what cannot be read
/// is a [`fault`](Update::fault), and the rest is used.
pub(crate) fn read(json: &str, received: DateTime<Utc>) -> Update<'_> {
    let mut update = Update { json, received, ..Update::default() };
    let envelope = match serde_json::from_str::<Envelope>(json) {
        Ok(envelope) => envelope,
        Err(error) => return Update { fault: Some(place(&error)), ..update },
    };
    update.update_id = envelope.update_id;
    if envelope.update_id.is_none() {
        update.fault = Some("it has no update_id".to_owned());
    }
    if let Some((kind, content)) = envelope.content
        && !NOBODYS.contains(&kind.as_ref())
    {
        let mut reader = Reader { received, is_dated: false, fault: update.fault.take() };
        (update.interaction, update.command, update.press) =
            reader.content(&kind, content).unwrap_or_default();
        update.fault = reader.fault;
        update.is_dated = reader.is_dated;
    }
    // Without an id it cannot be confirmed, nor known when it comes again.
    update.interaction = update.interaction.filter(|_| update.update_id.is_some());
    if let Some(interaction) = &mut update.interaction {
        interaction.update_id = update.update_id;
    }
    update
}

/// Who did what in an update that was set aside, read again by this version.
#[derive(Debug)]
pub struct Reread {
    /// The update's id; `None` where it has none that is a number.
    pub update_id: Option<i64>,
    /// Who did what, if anybody did.
    pub interaction: Option<Interaction>,
    /// Why the update still cannot be read in full, in words that quote nobody.
    pub fault: Option<String>,
}

/// Reads an update that was set aside once more, as of when it came.
pub fn reread(update: &SetAside) -> Reread {
    let Update { update_id, interaction, fault, .. } = read(&update.payload, update.received_at);
    Reread { update_id, interaction, fault }
}

/// Reads one update's content, and keeps the first thing that is wrong with it.
struct Reader {
    received: DateTime<Utc>,
    /// Whether the content told its time.
    is_dated: bool,
    fault: Option<String>,
}

type Read = (Option<Interaction>, Option<CommandMessage>, Option<Press>);

impl Reader {
    fn content(&mut self, kind: &str, raw: &RawValue) -> Option<Read> {
        let content: Content = self.read(raw)?;
        if content.sender_chat.is_some() {
            return None;
        }
        let mut kind = KINDS
            .iter()
            .find(|(name, _)| *name == kind)
            .map_or(InteractionKind::Other, |(_, kind)| *kind);
        let text = content.text.and_then(|text| self.read::<Text>(text)).map(Text::into_string);
        if kind == InteractionKind::Message
            && let Some(text) = &text
        {
            kind = match text.starts_with('/') {
                true => InteractionKind::Command,
                false => InteractionKind::Text,
            };
        }
        let profile = self.actor(&content)?;
        let at = self.time(kind, &content);
        let chat = self.chat(&content);
        let command = text
            .filter(|_| kind == InteractionKind::Command)
            .and_then(|text| self.command(text, chat, &content));
        let event = self.event(kind, chat, &content, command.as_ref());
        let press =
            (kind == InteractionKind::CallbackQuery).then(|| self.press(chat, &content)).flatten();
        let interaction = Interaction { chat, event, ..Interaction::new(at, profile, kind) };
        Some((Some(interaction), command, press))
    }

    fn event(
        &mut self,
        kind: InteractionKind,
        chat: Option<Chat>,
        content: &Content,
        command: Option<&CommandMessage>,
    ) -> Option<Event> {
        let is_private = chat.is_some_and(|chat| chat.kind == ChatKind::Private);
        match kind {
            InteractionKind::Command if is_private => {
                let (word, payload) = command?.text.split_once(char::is_whitespace)?;
                let is_start = word.split('@').next() == Some("/start");
                payload.trim().parse().ok().filter(|_| is_start).map(Event::Start)
            }
            InteractionKind::MyChatMember if is_private => {
                match self.read::<Member>(content.new_chat_member?)?.status.0.as_ref() {
                    "kicked" => Some(Event::Blocked),
                    "member" => Some(Event::Unblocked),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn command(
        &mut self,
        text: String,
        chat: Option<Chat>,
        content: &Content,
    ) -> Option<CommandMessage> {
        let Some(chat) = chat else {
            self.note("a command has no chat to be answered in".to_owned());
            return None;
        };
        let in_topic = content.is_topic_message.is_some_and(|raw| raw.get() == "true");
        let thread = content.message_thread_id.filter(|_| in_topic);
        Some(CommandMessage { text, chat, topic: thread.and_then(|thread| self.read(thread)) })
    }

    fn press(&mut self, chat: Option<Chat>, content: &Content) -> Option<Press> {
        // Without one there is nothing to answer by.
        let id = self.read::<Text>(content.id?)?.into_string();
        let data = content.data.and_then(|data| self.read::<Text>(data)).map(Text::into_string);
        let message_id = content.message.and_then(|it| self.read::<InChat>(it)?.message_id);
        let message_id = message_id.and_then(|id| self.read::<i32>(id));
        Some(Press { id, data, message: chat.zip(message_id) })
    }

    /// The acting user: `from`, else `user`, else who is behind a boost.
    fn actor(&mut self, content: &Content) -> Option<Profile> {
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

    fn profile(&mut self, raw: &RawValue) -> Option<Profile> {
        let user = match self.read::<User>(raw) {
            Some(user) => user,
            // Something in it is odd; the id may still tell who it is.
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

    /// The update's own time where it has one, else the second of its receipt: Telegram's own
    /// times are in seconds too.
    fn time(&mut self, kind: InteractionKind, content: &Content) -> DateTime<Utc> {
        use InteractionKind::{BusinessConnection, EditedBusinessMessage, EditedMessage};
        let field = match kind {
            EditedMessage | EditedBusinessMessage => content.edit_date,
            // Its date is when the connection was made, not when it changed.
            BusinessConnection => None,
            _ => content.date,
        };
        let seconds = field.and_then(|date| self.read::<i64>(date));
        let own = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        // Telegram has times of 0 where there is none. What lies days ahead is no time either.
        let latest = self.received + LARGEST_LEAD;
        let own = own.filter(|own| *own > DateTime::UNIX_EPOCH && *own <= latest);
        self.is_dated = own.is_some();
        own.unwrap_or_else(|| self.received.trunc_subsecs(0))
    }

    fn chat(&mut self, content: &Content) -> Option<Chat> {
        let raw = match content.chat {
            Some(chat) => chat,
            // A callback query stands in the chat of the message whose button was pressed.
            None => {
                let message = self.read::<InChat>(content.message?)?;
                if message.business_connection_id.is_some() {
                    // Between the user and a business account, not with the bot.
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
        serde_json::from_str(raw.get()).map_err(|error| self.note(place(&error))).ok()
    }

    fn note(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }
}

/// An update: its id, and its content under the name of its kind.
struct Envelope<'a> {
    update_id: Option<i64>,
    content: Option<(Cow<'a, str>, &'a RawValue)>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an update")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
                let mut envelope = Envelope { update_id: None, content: None };
                while let Some(Text(name)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    if name == "update_id" {
                        envelope.update_id = serde_json::from_str(value.get()).ok();
                    } else if is_known(&name)
                        || (envelope.content.is_none() && value.get().starts_with('{'))
                    {
                        envelope.content = Some((name, value));
                    }
                }
                Ok(envelope)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// The fields of an update's content that tell who did it, when and where.
#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    from: Option<&'a RawValue>,
    user: Option<&'a RawValue>,
    boost: Option<&'a RawValue>,
    source: Option<&'a RawValue>,
    sender_chat: Option<IgnoredAny>,
    date: Option<&'a RawValue>,
    edit_date: Option<&'a RawValue>,
    chat: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    text: Option<&'a RawValue>,
    is_topic_message: Option<&'a RawValue>,
    message_thread_id: Option<&'a RawValue>,
    new_chat_member: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Member<'a> {
    #[serde(borrow)]
    status: Text<'a>,
}

#[derive(Deserialize)]
struct Boost<'a> {
    #[serde(borrow)]
    source: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Source<'a> {
    #[serde(borrow)]
    user: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct InChat<'a> {
    #[serde(borrow)]
    chat: Option<&'a RawValue>,
    message_id: Option<&'a RawValue>,
    business_connection_id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawChat<'a> {
    id: i64,
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Identity {
    id: i64,
}

/// A user of the Bot API, of which only the id is required.
#[derive(Deserialize)]
struct User<'a> {
    id: i64,
    #[serde(borrow)]
    first_name: Option<Text<'a>>,
    last_name: Option<Text<'a>>,
    username: Option<Text<'a>>,
    language_code: Option<Text<'a>>,
    is_bot: Option<bool>,
}

impl User<'_> {
    fn of_id(id: i64) -> Self {
        Self {
            id,
            first_name: None,
            last_name: None,
            username: None,
            language_code: None,
            is_bot: None,
        }
    }

    fn profile(&self, id: TelegramId) -> Profile {
        let Some(Text(first_name)) = &self.first_name else { return Profile::of_id(id) };
        let or_empty = |text: &Option<Text<'_>>| {
            text.as_ref().map(|Text(text)| text.to_string()).unwrap_or_default()
        };
        Profile::new(id, first_name)
            .last_name(&or_empty(&self.last_name))
            .username(&or_empty(&self.username))
            .language_code(&or_empty(&self.language_code))
            .is_bot(self.is_bot.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const RECEIVED: &str = "2026-11-23T12:00:00.5Z";

    fn read_text(json: &str) -> Update<'_> {
        read(json, RECEIVED.parse().unwrap())
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

    #[test]
    fn every_kind_registers_its_actor() {
        for (kind, expected) in KINDS {
            let content = match *kind {
                "chat_boost" => json!({"boost": {"source": {"user": ada()}}}),
                "removed_chat_boost" => json!({"source": {"user": ada()}}),
                "poll_answer" | "message_reaction" | "business_connection" | "managed_bot" => {
                    json!({"user": ada()})
                }
                _ => json!({"from": ada()}),
            };
            let update = read_kind(kind, content);
            let interaction = update.interaction.unwrap_or_else(|| panic!("{kind}"));
            assert_eq!(interaction.profile, whole_profile(), "{kind}");
            assert_eq!(interaction.kind, *expected, "{kind}");
            assert_eq!(interaction.update_id, Some(7), "{kind}");
            assert_eq!(update.fault, None, "{kind}");
        }
    }

    #[test]
    fn a_kind_that_nobody_knows_yet_is_recognised_by_its_shape() {
        for content in [
            json!({"from": ada()}),
            json!({"user": ada(), "novelty": [1, 2]}),
            json!({"boost": {"source": {"source": "premium", "user": ada()}}}),
            json!({"source": {"user": ada()}}),
        ] {
            let interaction = read_kind("telepathy", content).interaction.unwrap();
            assert_eq!(interaction.kind, InteractionKind::Other);
            assert_eq!(interaction.telegram_id().get(), 1815);
        }
    }

    #[test]
    fn nobody_is_registered_for_what_nobody_did() {
        for (kind, content) in [
            ("channel_post", json!({"from": ada(), "text": "x"})),
            ("edited_channel_post", json!({"from": ada()})),
            ("poll", json!({"id": "1"})),
            ("message_reaction_count", json!({"chat": {"id": -1, "type": "channel"}})),
            ("message", json!({"from": ada(), "sender_chat": {"id": -1, "type": "channel"}})),
            ("message", json!({"from": {"id": 777000, "first_name": "Telegram"}})),
            ("message", json!({"from": {"id": 1087968824, "first_name": "Group"}})),
            ("poll_answer", json!({"user": {"id": 136817688, "first_name": "Channel"}})),
            ("poll_answer", json!({"voter_chat": {"id": -1, "type": "channel"}})),
            ("deleted_business_messages", json!({"chat": {"id": 1, "type": "private"}})),
            (
                "telepathy",
                json!({"forward_origin": {"sender_user": ada()}, "new_chat_members": [ada()],
                       "reply_to_message": {"from": ada()}}),
            ),
        ] {
            let update = read_kind(kind, content);
            assert_eq!((update.interaction, update.fault), (None, None), "{kind}");
            assert_eq!(update.update_id, Some(7));
        }
    }

    #[test]
    fn bots_register_as_bots() {
        let robot = json!({"id": 5, "is_bot": true, "first_name": "Robot"});
        let interaction = read_kind("message", json!({"from": robot})).interaction.unwrap();
        let expected = Profile::new(5.try_into().unwrap(), "Robot").is_bot(true);
        assert_eq!(interaction.profile, expected);
    }

    #[test]
    fn messages_are_told_apart() {
        for (text, kind) in [
            (json!("/start x"), InteractionKind::Command),
            (json!("hello /start"), InteractionKind::Text),
            (json!(""), InteractionKind::Text),
            (Value::Null, InteractionKind::Message),
        ] {
            let interaction =
                read_kind("message", json!({"from": ada(), "text": text})).interaction;
            assert_eq!(interaction.unwrap().kind, kind);
        }
    }

    #[test]
    fn the_time_is_the_updates_own_or_the_second_of_receipt() {
        let time = |kind, mut content: Value| {
            content["from"] = ada();
            read_kind(kind, content).interaction.unwrap().at.to_rfc3339()
        };
        let own = "2023-11-14T22:13:20+00:00";
        let receipt = "2026-11-23T12:00:00+00:00";
        assert_eq!(time("message", json!({"date": 1_700_000_000})), own);
        assert_eq!(time("edited_message", json!({"date": 1, "edit_date": 1_700_000_000})), own);
        assert_eq!(time("edited_message", json!({"date": 1})), receipt);
        assert_eq!(time("business_connection", json!({"date": 1})), receipt);
        assert_eq!(time("callback_query", json!({"message": {"date": 1}})), receipt);
        assert_eq!(time("inline_query", json!({})), receipt);
        assert_eq!(time("message", json!({"date": i64::MAX})), receipt);
    }

    #[test]
    fn the_chat_is_known() {
        let chat = |kind, mut content: Value| {
            content["from"] = ada();
            read_kind(kind, content).interaction.unwrap().chat
        };
        let group = json!({"id": -5, "type": "supergroup", "title": "x"});
        let expected = Some(Chat { id: -5, kind: ChatKind::Supergroup });
        assert_eq!(chat("message", json!({"chat": group})), expected);
        assert_eq!(chat("callback_query", json!({"message": {"chat": group}})), expected);
        assert_eq!(chat("callback_query", json!({"inline_message_id": "x"})), None);
        let odd = json!({"id": 5, "type": "hologram"});
        assert_eq!(
            chat("message", json!({"chat": odd})),
            Some(Chat { id: 5, kind: ChatKind::Other })
        );
    }

    #[test]
    fn what_is_odd_is_told_and_the_rest_is_used() {
        let known = |content: Value| {
            let update = read_kind("message", content);
            assert!(update.fault.is_some());
            update.interaction.map(|interaction| interaction.profile)
        };
        let id_alone = Some(Profile::of_id(1815.try_into().unwrap()));
        assert_eq!(known(json!({"from": {"id": 1815, "first_name": 5}})), id_alone);
        assert_eq!(known(json!({"from": {"id": "1815"}})), None);
        assert_eq!(known(json!({"from": {"id": -1}})), None);
        assert_eq!(known(json!({"from": "Ada"})), None);
        assert_eq!(known(json!({"from": ada(), "date": "today"})), Some(whole_profile()));
        assert_eq!(known(json!({"from": ada(), "text": ["x"]})), Some(whole_profile()));
        assert_eq!(
            known(json!({"from": ada(), "text": "/start", "date": 1})),
            Some(whole_profile())
        );
        let no_thread = json!({"from": ada(), "text": "/start", "chat": {"id": -5},
            "is_topic_message": true, "message_thread_id": "x"});
        assert_eq!(known(no_thread), Some(whole_profile()));
        assert_eq!(known(json!("garbage")), None);
        assert_eq!(known(json!([1])), None);

        // An id without a name is no fault: other servers of the Bot API are as brief.
        let brief = read_kind("message", json!({"from": {"id": 1815}}));
        assert_eq!((brief.interaction.map(|it| it.profile), brief.fault), (id_alone, None));
    }

    #[test]
    fn an_update_without_a_number_is_passed_over() {
        let update = read_value(&json!({"update_id": "x", "message": {"from": ada()}}));
        assert_eq!(update.update_id, None);
        assert_eq!(update.fault.as_deref(), Some("it has no update_id"));
        assert_eq!(update.interaction, None);
        assert!(read("[]", RECEIVED.parse().unwrap()).fault.is_some());
        assert!(read("", RECEIVED.parse().unwrap()).fault.is_some());
    }

    #[test]
    fn a_command_brings_its_message() {
        let message = json!({
            "message_id": 1, "date": 1, "chat": {"id": 1815, "type": "private", "first_name": "Ada"},
            "from": ada(), "text": "/start"
        });
        let update = read_kind("message", message);
        assert_eq!(update.fault, None);
        let chat = Chat { id: 1815, kind: ChatKind::Private };
        let command = CommandMessage { text: "/start".to_owned(), chat, topic: None };
        assert_eq!(update.command, Some(command));

        let in_topic = json!({
            "chat": {"id": -5, "type": "supergroup"}, "from": {"id": 1815}, "text": "/help",
            "message_thread_id": 7, "is_topic_message": true
        });
        let command = read_kind("message", in_topic).command.unwrap();
        assert_eq!((command.chat.id, command.topic), (-5, Some(7)));
    }

    #[test]
    fn a_press_is_told_with_the_message_below_which_the_button_is() {
        let message = json!({"message_id": 31, "chat": {"id": 1815, "type": "private"}, "date": 0});
        let press = |content: Value| {
            let mut query = json!({"id": "77", "from": ada(), "chat_instance": "-1"});
            for (name, value) in content.as_object().unwrap() {
                query[name] = value.clone();
            }
            read_kind("callback_query", query)
        };
        let chat = Chat { id: 1815, kind: ChatKind::Private };
        let told = |data: Option<&str>, message| Press {
            id: "77".to_owned(),
            data: data.map(str::to_owned),
            message,
        };
        let update = press(json!({"data": "1/p", "message": message}));
        assert_eq!(update.press, Some(told(Some("1/p"), Some((chat, 31)))));
        assert_eq!(update.fault, None);
        // Below a message of inline mode, of a game, and of somebody's business.
        let inline = press(json!({"data": "1/p", "inline_message_id": "x"}));
        assert_eq!(inline.press, Some(told(Some("1/p"), None)));
        let game = press(json!({"game_short_name": "x", "message": message}));
        assert_eq!(game.press, Some(told(None, Some((chat, 31)))));
        let mut of_business = message.clone();
        of_business["business_connection_id"] = json!("x");
        let business = press(json!({"data": "1/p", "message": of_business}));
        assert_eq!(business.press, Some(told(Some("1/p"), None)));
        // What is odd is told, and the press is one all the same.
        let odd = press(json!({"data": 7, "message": {"message_id": "x", "chat": {"id": 1815}}}));
        assert_eq!(odd.press, Some(told(None, None)));
        assert!(odd.fault.is_some());
        assert_eq!(read_kind("message", json!({"id": "77", "from": ada()})).press, None);
    }

    #[test]
    fn blocking_and_deep_links_are_told() {
        let event = |kind, chat_kind: &str, mut content: Value| {
            content["from"] = ada();
            content["chat"] = json!({"id": 1815, "type": chat_kind});
            read_kind(kind, content).interaction.unwrap().event
        };
        let member = |status: &str| json!({"new_chat_member": {"status": status}});
        assert_eq!(event("my_chat_member", "private", member("kicked")), Some(Event::Blocked));
        assert_eq!(event("my_chat_member", "private", member("member")), Some(Event::Unblocked));
        assert_eq!(event("my_chat_member", "group", member("kicked")), None);
        assert_eq!(event("chat_member", "private", member("kicked")), None);

        let start = |payload: &str| Some(Event::Start(payload.parse().unwrap()));
        let text = |text: &str| event("message", "private", json!({ "text": text }));
        assert_eq!(text("/start ad-1_X"), start("ad-1_X"));
        assert_eq!(text("/start@our_bot ad"), start("ad"));
        for plain in ["/start", "/start a b", "/start ü", "/started x", "/help x", "start x"] {
            assert_eq!(text(plain), None, "{plain}");
        }
        assert_eq!(event("message", "group", json!({"text": "/start x"})), None);
    }

    #[test]
    fn a_time_that_cannot_be_is_none() {
        let read = |date: Value| {
            let update = read_kind("message", json!({"date": date, "from": ada()}));
            let at = update.interaction.unwrap().at.timestamp();
            (update.is_dated, at, update.fault.is_some())
        };
        let received = RECEIVED.parse::<DateTime<Utc>>().unwrap().timestamp();
        for date in [1, received, received + 60, received + 86_400] {
            assert_eq!(read(json!(date)), (true, date, false));
        }
        for date in [0, -1, i64::MIN, received + 86_401, 1 << 32, 1 << 53, i64::MAX] {
            assert_eq!(read(json!(date)), (false, received, false), "{date}");
        }
        for date in [json!(1e300), json!(1.5), json!("now"), json!(u64::MAX)] {
            assert_eq!(read(date.clone()), (false, received, true), "{date}");
        }
    }

    #[test]
    fn a_text_that_was_cut_in_half_costs_nothing() {
        let update = read_text(
            r#"{"update_id":7,"message":{"date":1,"from":{"id":1815,"first_name":"Ada \ud83d",
            "last_name":"\ude80\u0000","username":"ad\ud83da","language_code":"e\ud83dn"},
            "chat":{"id":1815,"type":"private"},"text":"/start \ud83d"}}"#,
        );
        assert_eq!(update.fault, None);
        let profile = Profile::new(1815.try_into().unwrap(), "Ada \u{fffd}")
            .last_name("\u{fffd}")
            .username("ad\u{fffd}a")
            .language_code("e\u{fffd}n");
        assert_eq!(update.interaction.unwrap().profile, profile);
        assert_eq!(update.command.unwrap().text, "/start \u{fffd}");
        let update = read_text(
            r#"{"update_id":7,"callback_query":{"id":"\ud83d","data":"\ud83d","from":{"id":5},
            "message":{"message_id":1,"chat":{"id":5,"type":"\ud83d"}}}}"#,
        );
        assert_eq!(update.fault, None);
        assert_eq!(update.press.unwrap().data.as_deref(), Some("\u{fffd}"));
        assert_eq!(update.interaction.unwrap().chat.unwrap().kind, ChatKind::Other);
    }

    #[test]
    fn other_fields_of_an_update_are_passed_over() {
        for known in [
            json!({"update_id": 1, "shard": 3, "message": {"from": ada()}}),
            json!({"update_id": 1, "shard": {"from": {"id": 2}}, "message": {"from": ada()}}),
            json!({"update_id": 1, "message": {"from": ada()}, "shard": {"from": {"id": 2}}}),
        ] {
            let update = read_value(&known);
            assert_eq!(update.interaction.unwrap().telegram_id().get(), 1815);
            assert_eq!(update.fault, None);
        }
    }

    #[test]
    fn what_is_asked_for_is_what_registers() {
        let asked = allowed_updates();
        assert_eq!(asked.len(), 21);
        assert!(NOBODYS.iter().all(|kind| !asked.contains(kind)));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let name = prop_oneof![
            "[a-z_]{1,8}",
            prop::sample::select(vec![
                "from",
                "user",
                "id",
                "boost",
                "source",
                "date",
                "chat",
                "text",
                "message",
                "type",
                "first_name",
                "sender_chat",
            ])
            .prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..6)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_with_an_update_id_moves_on(
            kind in prop::sample::select(
                KINDS.iter().map(|(kind, _)| *kind).chain(["telepathy"]).collect::<Vec<_>>()
            ),
            content in any_json(),
            update_id in 1..i64::from(u32::MAX),
        ) {
            let update = read_value(&json!({"update_id": update_id, kind: content}));
            prop_assert_eq!(update.update_id, Some(update_id));
        }

        #[test]
        fn odd_names_hide_no_id(
            names in prop::collection::vec(r#"(\\u[0-9a-f]{4}|\\[nt"]|[a-z]){0,4}"#, 0..4),
            update_id in 1..i64::from(u32::MAX),
        ) {
            let fields: String = names.iter().map(|name| format!("\"{name}\":{{}},")).collect();
            let json = format!("{{{fields}\"update_id\":{update_id}}}");
            prop_assert_eq!(read_text(&json).update_id, Some(update_id));
        }

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            read(&text, RECEIVED.parse().unwrap());
        }
    }
}
