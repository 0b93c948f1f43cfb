//! The kinds of updates (Bot API, "Update").

#[cfg(feature = "client")]
use frankenstein::{types::AllowedUpdate, updates::UpdateContent};
use rollcall_domain::InteractionKind;

/// Lists every kind that frankenstein knows, with its name in JSON. After an upgrade of frankenstein
/// that brings a kind, the match in `name_of` does not compile until the kind is in this list.
macro_rules! kinds {
    (
        of_a_user { $($kind:ident $name:literal,)* }
        of_no_user { $($other:ident $other_name:literal,)* }
    ) => {
        /// The kinds that we ask Telegram for, each with its meaning.
        pub(super) const KINDS: &[(&str, InteractionKind)] =
            &[$(($name, InteractionKind::$kind),)*];

        #[cfg(feature = "client")]
        const ALLOWED_UPDATES: &[AllowedUpdate] = &[$(AllowedUpdate::$kind,)*];

        /// Kinds without an acting user, whatever fields they have.
        pub(super) const ACTORLESS_KINDS: &[&str] = &[$($other_name,)*];

        /// The name of an update's kind in JSON.
        #[cfg(feature = "client")]
        pub(super) fn name_of(content: &UpdateContent) -> &'static str {
            match content {
                $(UpdateContent::$kind(_) => $name,)*
                $(UpdateContent::$other(_) => $other_name,)*
            }
        }
    };
}

kinds! {
    of_a_user {
        Message "message",
        EditedMessage "edited_message",
        CallbackQuery "callback_query",
        InlineQuery "inline_query",
        ChosenInlineResult "chosen_inline_result",
        ShippingQuery "shipping_query",
        PreCheckoutQuery "pre_checkout_query",
        PollAnswer "poll_answer",
        MyChatMember "my_chat_member",
        ChatMember "chat_member",
        ChatJoinRequest "chat_join_request",
        MessageReaction "message_reaction",
        BusinessConnection "business_connection",
        BusinessMessage "business_message",
        EditedBusinessMessage "edited_business_message",
        PurchasedPaidMedia "purchased_paid_media",
        ChatBoost "chat_boost",
        RemovedChatBoost "removed_chat_boost",
        GuestMessage "guest_message",
        ManagedBot "managed_bot",
        Subscription "subscription",
        StoppedMessageGeneration "stopped_message_generation",
    }
    of_no_user {
        ChannelPost "channel_post",
        EditedChannelPost "edited_channel_post",
        Poll "poll",
        MessageReactionCount "message_reaction_count",
        DeletedBusinessMessages "deleted_business_messages",
    }
}

/// Only the tests call it; its match has to compile in every build.
#[cfg(feature = "client")]
const _: fn(&UpdateContent) -> &'static str = name_of;

/// The kinds of updates that a user causes: those to ask Telegram for in `allowed_updates`.
pub fn update_kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}

/// Whether this version knows the kind. An update has one kind, and may get other fields some day.
pub(super) fn is_known(kind: &str) -> bool {
    ACTORLESS_KINDS.contains(&kind) || KINDS.iter().any(|(name, ..)| *name == kind)
}

/// The kinds to ask Telegram for.
#[cfg(feature = "client")]
pub(crate) fn allowed_updates() -> Vec<AllowedUpdate> {
    ALLOWED_UPDATES.to_vec()
}

/// The meaning of the kind with this name. Unknown kinds still count as interactions.
pub(super) fn meaning(kind: &str) -> InteractionKind {
    let known = KINDS.iter().find(|(name, ..)| *name == kind);
    known.map_or(InteractionKind::Other, |(.., meaning)| *meaning)
}
