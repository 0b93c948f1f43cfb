//! The kinds of interactions in words.

use rollcall_domain::InteractionKind as Kind;

/// What users did, such as "Button presses". An unknown label stays as it is.
pub(crate) fn kind_name(label: &str) -> &str {
    match Kind::from_name(label) {
        Some(kind) => name(kind),
        None => label,
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Command => "Commands",
        Kind::Text => "Text messages",
        Kind::Message => "Photos and other media",
        Kind::EditedMessage => "Edited messages",
        Kind::CallbackQuery => "Button presses",
        Kind::InlineQuery => "Inline queries",
        Kind::ChosenInlineResult => "Chosen inline results",
        Kind::ShippingQuery => "Shipping questions",
        Kind::PreCheckoutQuery => "Checkouts",
        Kind::PollAnswer => "Poll votes",
        Kind::MyChatMember => "Blocks and unblocks",
        Kind::ChatMember => "Changes of membership",
        Kind::ChatJoinRequest => "Requests to join",
        Kind::MessageReaction => "Reactions",
        Kind::BusinessConnection => "Business connections",
        Kind::BusinessMessage => "Business messages",
        Kind::EditedBusinessMessage => "Edited business messages",
        Kind::PurchasedPaidMedia => "Purchases of paid media",
        Kind::ChatBoost => "Boosts",
        Kind::RemovedChatBoost => "Removed boosts",
        Kind::GuestMessage => "Guest messages",
        Kind::ManagedBot => "Managed bots",
        Kind::Subscription => "Subscriptions",
        Kind::StoppedMessageGeneration => "Stopped answers",
        Kind::Other => "Other updates",
        Kind::Call => "Calls by other programs",
        Kind::Touch => "Activity reported by other programs",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_kind_has_words_of_its_own() {
        let names: HashSet<_> = Kind::ALL.map(|it| kind_name(it.name())).into();
        assert_eq!(names.len(), Kind::ALL.len());
        assert!(names.iter().all(|name| !name.contains('_')));
        assert_eq!(kind_name("callback_query"), "Button presses");
        assert_eq!(kind_name("of_tomorrow"), "of_tomorrow");
    }
}
