//! Which users read an answer, and so what it may show.

use rollcall_domain::{Chat, ChatKind, TelegramId};

/// The users who read an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// All members of a group or channel.
    Group,
    /// Only the sender.
    Sender,
    /// Only the sender, who is an owner.
    Owner,
}

impl Audience {
    /// The audience of an answer in the chat where `sender` asked for it. `is_owner` is whether the sender
    /// is an owner; it matters only in private chats.
    ///
    /// `None` if it is another user's private chat. Telegram sends no such update, but an attacker who
    /// knows the webhook's secret can forge one to read the sender's answers. So the ids decide, not only
    /// the chat's kind: users have positive ids, and groups and channels negative ones (Bot API, "Chat").
    pub(crate) fn of(chat: Chat, sender: TelegramId, is_owner: bool) -> Option<Self> {
        match chat.kind {
            ChatKind::Private if chat.id != sender.get() => None,
            ChatKind::Private if is_owner => Some(Self::Owner),
            ChatKind::Private => Some(Self::Sender),
            ChatKind::Group | ChatKind::Supergroup | ChatKind::Channel | ChatKind::Other => {
                (chat.id < 0).then_some(Self::Group)
            }
        }
    }

    /// Whether only the sender reads it.
    pub(crate) fn is_private(self) -> bool {
        matches!(self, Self::Sender | Self::Owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_senders_own_private_chat_is_private() {
        use ChatKind::{Channel, Group, Other, Private, Supergroup};
        let person = |id: i64| TelegramId::try_from(id).unwrap();
        for (sender, id, kind, expected) in [
            (99, 99, Private, Some(Audience::Owner)),
            (5, 5, Private, Some(Audience::Sender)),
            // The chat of another user, with any kind.
            (99, 666, Private, None),
            (666, 99, Private, None),
            (99, -99, Private, None),
            (99, 0, Private, None),
            (99, 666, Group, None),
            (99, 666, Supergroup, None),
            (99, 666, Channel, None),
            (99, 666, Other, None),
            (99, 0, Other, None),
            // The owner's id is not a group, with any kind.
            (99, 99, Group, None),
            (99, 99, Other, None),
            (99, -5, Group, Some(Audience::Group)),
            (99, -1_001_234, Supergroup, Some(Audience::Group)),
            (99, -1_001_234, Channel, Some(Audience::Group)),
            (99, -1_001_234, Other, Some(Audience::Group)),
        ] {
            let audience = Audience::of(Chat { id, kind }, person(sender), sender == 99);
            assert_eq!(audience, expected, "{sender} in {kind:?} {id}");
        }
    }
}
