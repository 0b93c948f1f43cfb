//! Who reads an answer, and so what it may show.

use std::collections::BTreeSet;

use rollcall_domain::{Chat, ChatKind, TelegramId};

/// Who reads what is sent to a chat in answer to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Everybody in a group or channel.
    Group,
    /// The sender alone.
    Sender,
    /// The sender alone, who is an owner.
    Owner,
}

impl Audience {
    /// Who reads what is sent to the chat in which `sender` asked for it.
    ///
    /// `None` where the chat is another person's: Telegram sends no such update, but somebody who
    /// knows the webhook's secret can make one up, to read what is meant for the sender. The ids
    /// decide, not only what the update says of the chat's kind: people have positive ones, and
    /// groups and channels negative ones (Bot API, "Chat").
    pub(crate) fn of(
        chat: Chat,
        sender: TelegramId,
        owners: &BTreeSet<TelegramId>,
    ) -> Option<Self> {
        match chat.kind {
            ChatKind::Private if chat.id != sender.get() => None,
            ChatKind::Private if owners.contains(&sender) => Some(Self::Owner),
            ChatKind::Private => Some(Self::Sender),
            ChatKind::Group | ChatKind::Supergroup | ChatKind::Channel | ChatKind::Other => {
                (chat.id < 0).then_some(Self::Group)
            }
        }
    }

    /// Whether the sender alone reads it.
    pub(crate) fn is_private(self) -> bool {
        matches!(self, Self::Sender | Self::Owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_their_own_private_chat_is_read_by_the_sender_alone() {
        use ChatKind::{Channel, Group, Other, Private, Supergroup};
        let person = |id: i64| TelegramId::try_from(id).unwrap();
        let owners = BTreeSet::from([person(99)]);
        for (sender, id, kind, expected) in [
            (99, 99, Private, Some(Audience::Owner)),
            (5, 5, Private, Some(Audience::Sender)),
            // Another person's chat, by whichever name.
            (99, 666, Private, None),
            (666, 99, Private, None),
            (99, -99, Private, None),
            (99, 0, Private, None),
            (99, 666, Group, None),
            (99, 666, Supergroup, None),
            (99, 666, Channel, None),
            (99, 666, Other, None),
            (99, 0, Other, None),
            // The owner's id is no group, whatever it is called.
            (99, 99, Group, None),
            (99, 99, Other, None),
            (99, -5, Group, Some(Audience::Group)),
            (99, -1_001_234, Supergroup, Some(Audience::Group)),
            (99, -1_001_234, Channel, Some(Audience::Group)),
            (99, -1_001_234, Other, Some(Audience::Group)),
        ] {
            let audience = Audience::of(Chat { id, kind }, person(sender), &owners);
            assert_eq!(audience, expected, "{sender} in {kind:?} {id}");
        }
    }
}
