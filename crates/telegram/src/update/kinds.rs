//! The kinds of updates (Bot API, "Update").

use rollcall_domain::InteractionKind;

/// Every kind that we ask Telegram for, and what it means. Kinds that name nobody (channel posts,
/// polls, reaction counts, deleted messages) are left out; what Telegram sends all the same is
/// recognised by shape.
pub(super) const KINDS: &[(&str, InteractionKind)] = &[
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
    ("stopped_message_generation", InteractionKind::StoppedMessageGeneration),
];

/// Kinds that are nobody's doing, whatever fields they have.
pub(super) const NOBODYS: &[&str] = &[
    "channel_post",
    "edited_channel_post",
    "poll",
    "message_reaction_count",
    "deleted_business_messages",
];

/// Whether this version knows the kind; an update has one, and may have other fields some day.
pub(super) fn is_known(kind: &str) -> bool {
    NOBODYS.contains(&kind) || KINDS.iter().any(|(name, _)| *name == kind)
}

/// The kinds to ask for, as `allowed_updates` takes them.
pub(crate) fn allowed_updates() -> Vec<&'static str> {
    KINDS.iter().map(|(name, _)| *name).collect()
}

/// What a kind of this name means.
pub(super) fn meaning(kind: &str) -> InteractionKind {
    let known = KINDS.iter().find(|(name, _)| *name == kind);
    known.map_or(InteractionKind::Other, |(_, meaning)| *meaning)
}
