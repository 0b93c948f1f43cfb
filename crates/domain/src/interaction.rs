use std::fmt;

use chrono::{DateTime, Utc};

use crate::{Profile, StartPayload, TelegramId, TelegramUser};

/// One thing a user did that reached the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// The Bot API's `update_id`; `None` for what did not arrive as an update.
    pub update_id: Option<i64>,
    /// When it happened: the update's own time where it has one, else the time of receipt.
    pub at: DateTime<Utc>,
    /// What Telegram said of the user then.
    pub profile: Profile,
    /// What the user did.
    pub kind: InteractionKind,
    /// The command that the user gave, if it is one that the bot knows. Its name is part of the
    /// program, so that people cannot make up new ones.
    pub command: Option<&'static str>,
    /// Where; `None` for what has no chat, such as an inline query.
    pub chat: Option<Chat>,
    /// What else it means; `None` for most.
    pub event: Option<Event>,
}

impl Interaction {
    /// An interaction that did not arrive as an update and has no chat.
    pub fn new(at: DateTime<Utc>, profile: Profile, kind: InteractionKind) -> Self {
        Self { update_id: None, at, profile, kind, command: None, chat: None, event: None }
    }

    /// Whether it happened in a private chat between the user and the bot. A chat between the user
    /// and a business account, which the bot may see too, is none.
    pub(crate) fn is_in_private_chat(&self) -> bool {
        use InteractionKind::{BusinessMessage, EditedBusinessMessage, GuestMessage, MyChatMember};
        let elsewhere = [BusinessMessage, EditedBusinessMessage, GuestMessage, MyChatMember];
        self.chat.is_some_and(|chat| chat.kind == ChatKind::Private)
            && !elsewhere.contains(&self.kind)
    }

    /// Who interacted.
    pub fn telegram_id(&self) -> TelegramId {
        self.profile.telegram_id()
    }
}

/// What an interaction means beyond itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The user came by a deep link.
    Start(StartPayload),
    /// The user has blocked the bot.
    Blocked,
    /// The user lets the bot write again.
    Unblocked,
}

/// What the storage answers to an [`Interaction`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The user as it stands after the batch in which the interaction was recorded.
    pub user: TelegramUser,
    /// Whether this very interaction created the user.
    pub created: bool,
}

/// A chat of an interaction (Bot API, "Chat").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chat {
    /// The chat's id: the user's own for a private chat, negative for groups.
    pub id: i64,
    /// What sort of chat it is.
    pub kind: ChatKind,
}

/// The sorts of chats of the Bot API ("Chat": `type`).
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
    /// A sort that this version does not know.
    Other,
}

/// What a user did: the Bot API's kinds of updates ("Update"), with messages told apart further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the Bot API's kind of update of the same name")]
pub enum InteractionKind {
    /// A message whose text starts with a command.
    Command,
    /// A message with any other text.
    Text,
    /// A message without text: a photo, a sticker, somebody who joins…
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
    /// A call of the service by other code that tells only that the user was there.
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

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind's name, in the Bot API's spelling where the Bot API has one.
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
