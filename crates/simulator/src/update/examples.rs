use super::Update;
use crate::{Chat, Person};

impl Update {
    /// One well-formed update of each constructor, for tests that try every kind.
    pub fn examples() -> Vec<Self> {
        let ann = Person::new(42, "Ann");
        let bob = Person::new(43, "Bob");
        let group = Chat::supergroup(-1_001_234, "Rink");
        let channel = Chat::channel(-1_005_678, "News");
        vec![
            Self::text(&ann, "/start now"),
            Self::photo(&ann),
            Self::video(&ann).with_caption("The goal"),
            Self::document(&ann, "rules.pdf"),
            Self::voice(&ann),
            Self::sticker(&ann),
            Self::poll_message(&ann, "Win?"),
            Self::photo(&ann)
                .with_caption("News")
                .with_links(&[("Read", "https://example.com/")])
                .forwarded_from_channel(&channel, 8),
            Self::text(&ann, "hi").forwarded_from(&bob),
            Self::text(&ann, "hi").in_chat(&group).replying_to(&bob, "hello"),
            Self::new_chat_members(&ann, &group, std::slice::from_ref(&bob)),
            Self::anonymous_admin(&group, "rules"),
            Self::channel_forward(&channel, &group, "news"),
            Self::edited_text(&ann, "hi!"),
            Self::channel_post(&channel, "news"),
            Self::edited_channel_post(&channel, "news!"),
            Self::guest_message(&ann, "@rollcall_bot hi"),
            Self::callback_query(&ann, "next"),
            Self::inline_callback_query(&ann, "next"),
            Self::inline_query(&ann, "who"),
            Self::chosen_inline_result(&ann, "1", "who"),
            Self::shipping_query(&ann, "puck"),
            Self::pre_checkout_query(&ann, "puck"),
            Self::purchased_paid_media(&ann, "photo"),
            Self::subscription(&ann, "fan"),
            Self::poll("7", "Win?"),
            Self::poll_answer(&ann, "7", &[0]),
            Self::poll_answer_by_chat(&channel, "7", &[1]),
            Self::blocked(&ann),
            Self::unblocked(&ann),
            Self::bot_member(&ann, &group, "left", "administrator"),
            Self::chat_member(&ann, &group, &bob, "member", "kicked"),
            Self::chat_join_request(&ann, &group),
            Self::chat_boost(&ann, &group),
            Self::removed_chat_boost(&ann, &group),
            Self::reaction(&ann, &group, 5, "👍"),
            Self::anonymous_reaction(&channel, &group, 5, "👍"),
            Self::reaction_count(&channel, 5, "👍", 3),
            Self::business_connection(&ann, "b1"),
            Self::business_text(&ann, "b1", "hi"),
            Self::edited_business_text(&ann, "b1", "hi!"),
            Self::deleted_business_messages(&Chat::private(&ann), "b1", &[1, 2]),
            Self::managed_bot(&ann, &Person::new(44, "Helper").bot()),
            Self::stopped_message_generation(&Chat::private(&ann), 9),
        ]
    }
}
