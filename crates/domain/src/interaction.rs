use std::fmt;

use chrono::{DateTime, Utc};

use crate::{BroadcastButton, Profile, StartPayload, TelegramId, Used};

/// One thing a user did that reached the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// The Bot API's `update_id`; `None` if the interaction did not arrive as an update.
    pub update_id: Option<i64>,
    /// When it happened: the time in the update if it has one, otherwise the time of receipt.
    pub at: DateTime<Utc>,
    /// The user's profile in the update.
    pub profile: Profile,
    /// What the user did.
    pub kind: InteractionKind,
    /// The command in the message, if the bot knows it. The names are constants, so users cannot
    /// add labels to the statistics.
    pub command: Option<&'static str>,
    /// The family of the pressed button, if the bot knows it; a constant like the names of commands.
    pub button: Option<&'static str>,
    /// The chat; `None` for updates without one, such as an inline query.
    pub chat: Option<Chat>,
    /// A further meaning; `None` for most interactions.
    pub event: Option<Event>,
    /// The button of a broadcast whose deep link the user opened.
    pub pressed: Option<BroadcastButton>,
}

impl Interaction {
    /// An interaction that did not arrive as an update and has no chat.
    pub fn new(at: DateTime<Utc>, profile: Profile, kind: InteractionKind) -> Self {
        Self {
            update_id: None,
            at,
            profile,
            kind,
            command: None,
            button: None,
            chat: None,
            event: None,
            pressed: None,
        }
    }

    /// The known command or button that the user used.
    pub fn used(&self) -> Option<Used> {
        self.command.map(Used::Command).or(self.button.map(Used::Button))
    }

    /// Whether it happened in a private chat between the user and the bot. The bot may also see
    /// chats between the user and a business account; they do not count.
    pub(crate) fn is_in_private_chat(&self) -> bool {
        use InteractionKind::{BusinessMessage, EditedBusinessMessage, GuestMessage, MyChatMember};
        let elsewhere = [BusinessMessage, EditedBusinessMessage, GuestMessage, MyChatMember];
        self.chat.is_some_and(|chat| chat.kind == ChatKind::Private)
            && !elsewhere.contains(&self.kind)
    }

    /// The id of the user.
    pub fn telegram_id(&self) -> TelegramId {
        self.profile.telegram_id()
    }
}

/// What an interaction means beyond being an interaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The user opened a deep link.
    Start(StartPayload),
    /// The user blocked the bot.
    Blocked,
    /// The user unblocked the bot.
    Unblocked,
    /// The user, who was erased, agreed to be stored again.
    Agreed,
}

/// A chat of an interaction (Bot API, "Chat").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chat {
    /// The chat's id: the user's own for a private chat, negative for groups.
    pub id: i64,
    /// The type of the chat.
    pub kind: ChatKind,
}

/// The types of chats of the Bot API ("Chat": `type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatKind {
    /// Between the bot and one user.
    Private,
    /// A basic group.
    Group,
    /// A supergroup.
    Supergroup,
    /// A channel.
    Channel,
    /// A type that this version does not know.
    Other,
}

/// What a user did: the Bot API's kinds of updates ("Update"), with messages divided further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the Bot API's kind of update of the same name")]
pub enum InteractionKind {
    /// A message whose text starts with a command.
    Command,
    /// A message with any other text.
    Text,
    /// A message without text: a photo, a sticker, a user who joins a group, …
    Message,
    EditedMessage,
    CallbackQuery,
    InlineQuery,
    ChosenInlineResult,
    ShippingQuery,
    PreCheckoutQuery,
    PollAnswer,
    MyChatMember,
    ChatMember,
    ChatJoinRequest,
    MessageReaction,
    BusinessConnection,
    BusinessMessage,
    EditedBusinessMessage,
    PurchasedPaidMedia,
    ChatBoost,
    RemovedChatBoost,
    GuestMessage,
    ManagedBot,
    Subscription,
    StoppedMessageGeneration,
    /// A kind of update that this version does not know.
    Other,
    /// A call of the service by other code, with a profile.
    Call,
    /// A call of the service by other code, which only reports that the user was active.
    Touch,
}

impl InteractionKind {
    /// Every kind.
    pub const ALL: [Self; 27] = [
        Self::Command,
        Self::Text,
        Self::Message,
        Self::EditedMessage,
        Self::CallbackQuery,
        Self::InlineQuery,
        Self::ChosenInlineResult,
        Self::ShippingQuery,
        Self::PreCheckoutQuery,
        Self::PollAnswer,
        Self::MyChatMember,
        Self::ChatMember,
        Self::ChatJoinRequest,
        Self::MessageReaction,
        Self::BusinessConnection,
        Self::BusinessMessage,
        Self::EditedBusinessMessage,
        Self::PurchasedPaidMedia,
        Self::ChatBoost,
        Self::RemovedChatBoost,
        Self::GuestMessage,
        Self::ManagedBot,
        Self::Subscription,
        Self::StoppedMessageGeneration,
        Self::Other,
        Self::Call,
        Self::Touch,
    ];

    /// Whether it is a message between a user and a business account, which the user did not write to
    /// the bot.
    pub fn is_business_message(self) -> bool {
        matches!(self, Self::BusinessMessage | Self::EditedBusinessMessage)
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind's name, spelled as in the Bot API if it exists there.
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Text => "text",
            Self::Message => "message",
            Self::EditedMessage => "edited_message",
            Self::CallbackQuery => "callback_query",
            Self::InlineQuery => "inline_query",
            Self::ChosenInlineResult => "chosen_inline_result",
            Self::ShippingQuery => "shipping_query",
            Self::PreCheckoutQuery => "pre_checkout_query",
            Self::PollAnswer => "poll_answer",
            Self::MyChatMember => "my_chat_member",
            Self::ChatMember => "chat_member",
            Self::ChatJoinRequest => "chat_join_request",
            Self::MessageReaction => "message_reaction",
            Self::BusinessConnection => "business_connection",
            Self::BusinessMessage => "business_message",
            Self::EditedBusinessMessage => "edited_business_message",
            Self::PurchasedPaidMedia => "purchased_paid_media",
            Self::ChatBoost => "chat_boost",
            Self::RemovedChatBoost => "removed_chat_boost",
            Self::GuestMessage => "guest_message",
            Self::ManagedBot => "managed_bot",
            Self::Subscription => "subscription",
            Self::StoppedMessageGeneration => "stopped_message_generation",
            Self::Other => "other",
            Self::Call => "call",
            Self::Touch => "touch",
        }
    }
}

impl fmt::Display for InteractionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
