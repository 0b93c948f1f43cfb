//! Buttons, inline mode, payments and polls.

use serde_json::json;

use super::Update;
use crate::people::{Chat, Person};

/// Buttons and inline mode.
impl Update {
    /// A press on a button of a message in the person's private chat, which is a day older than
    /// the press. [`Simulator::press`] presses a button of a message that the bot has sent.
    ///
    /// [`Simulator::press`]: crate::Simulator::press
    pub fn callback_query(person: &Person, data: impl Into<String>) -> Self {
        Self::button(person, data.into())
            .with("message", json!({ "message_id": 1, "chat": Chat::private(person), "text": "…" }))
    }

    /// A press on a button of a message that was sent in inline mode.
    pub fn inline_callback_query(person: &Person, data: impl Into<String>) -> Self {
        Self::button(person, data.into()).with("inline_message_id", "AgAAAPoAAAAB")
    }

    /// A text that a person typed after the bot's username in some chat.
    pub fn inline_query(person: &Person, query: impl Into<String>) -> Self {
        let query: String = query.into();
        let content = json!({
            "id": "8231", "from": person, "query": query, "offset": "", "chat_type": "sender",
        });
        Self::new("inline_query", content)
    }

    /// An inline result that a person sent.
    pub fn chosen_inline_result(person: &Person, result_id: &str, query: &str) -> Self {
        let content = json!({ "result_id": result_id, "from": person, "query": query });
        Self::new("chosen_inline_result", content)
    }

    fn button(person: &Person, data: String) -> Self {
        let content = json!({
            "id": "4382bfdwdsb323b2d9", "from": person, "chat_instance": "-7123", "data": data,
        });
        Self::new("callback_query", content)
    }
}

/// Payments.
impl Update {
    /// A person's shipping address for an order.
    pub fn shipping_query(person: &Person, payload: &str) -> Self {
        let address = json!({
            "country_code": "CA", "state": "Ontario", "city": "Toronto",
            "street_line1": "30 Yonge St", "street_line2": "", "post_code": "M5E 1X8",
        });
        let content = json!({
            "id": "551", "from": person, "invoice_payload": payload, "shipping_address": address,
        });
        Self::new("shipping_query", content)
    }

    /// The final confirmation before a payment.
    pub fn pre_checkout_query(person: &Person, payload: &str) -> Self {
        let content = json!({
            "id": "552", "from": person, "currency": "XTR", "total_amount": 50,
            "invoice_payload": payload,
        });
        Self::new("pre_checkout_query", content)
    }

    /// Paid media that a person bought.
    pub fn purchased_paid_media(person: &Person, payload: &str) -> Self {
        Self::new("purchased_paid_media", json!({ "from": person, "paid_media_payload": payload }))
    }

    /// A person's new subscription to the bot.
    pub fn subscription(person: &Person, payload: &str) -> Self {
        let content = json!({ "user": person, "invoice_payload": payload, "state": "active" });
        Self::new("subscription", content)
    }
}

/// Polls.
impl Update {
    /// The state of a poll that the bot sent, or that was stopped.
    pub fn poll(poll_id: &str, question: &str) -> Self {
        let content = json!({
            "id": poll_id, "question": question,
            "options": [
                { "persistent_id": "1", "text": "Yes", "voter_count": 1 },
                { "persistent_id": "2", "text": "No", "voter_count": 0 },
            ],
            "total_voter_count": 1, "is_closed": false, "is_anonymous": true, "type": "regular",
            "allows_multiple_answers": false, "allows_revoting": false, "members_only": false,
        });
        Self::new("poll", content)
    }

    /// A person's vote.
    pub fn poll_answer(person: &Person, poll_id: &str, options: &[u8]) -> Self {
        let content = json!({
            "poll_id": poll_id, "user": person, "option_ids": options, "option_persistent_ids": [],
        });
        Self::new("poll_answer", content)
    }

    /// A vote on behalf of a chat.
    pub fn poll_answer_by_chat(voter: &Chat, poll_id: &str, options: &[u8]) -> Self {
        let content = json!({
            "poll_id": poll_id, "voter_chat": voter, "option_ids": options,
            "option_persistent_ids": [],
        });
        Self::new("poll_answer", content)
    }
}
