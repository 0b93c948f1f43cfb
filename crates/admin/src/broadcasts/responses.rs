//! What recipients of a broadcast did after its message.

use rollcall_domain::{Broadcast, BroadcastResponse, RecipientState, RecipientSums, ResponseSums};

use crate::page::text;

/// Something that recipients did.
pub(super) struct ResponseRow {
    pub(super) name: String,
    pub(super) number: String,
    /// The share of those that have the message.
    pub(super) share: String,
}

/// What recipients did; nothing before a message went out.
pub(super) fn responses(
    broadcast: &Broadcast,
    sums: &RecipientSums,
    responses: &ResponseSums,
) -> Vec<ResponseRow> {
    let sent = sums.of(RecipientState::Sent);
    if sent == 0 {
        return Vec::new();
    }
    let row = |name: String, number: u64| ResponseRow {
        name,
        number: text::grouped(number),
        share: text::percent(number, sent),
    };
    let blocked = responses.of(BroadcastResponse::Blocked);
    let category = &broadcast.plan.category;
    let buttons = broadcast.plan.content.counted_buttons();
    // With variants, their table has the presses.
    let buttons = if broadcast.plan.experiment.has_variants() { Vec::new() } else { buttons };
    let mut rows = Vec::new();
    if !buttons.is_empty() {
        rows.push(row("Pressed a button".to_owned(), responses.of(BroadcastResponse::Pressed)));
    }
    rows.extend(buttons.into_iter().map(|(number, text)| {
        row(format!("Pressed “{text}”"), responses.of(BroadcastResponse::Button(number)))
    }));
    rows.extend([
        row("Blocked the bot within 24 hours".to_owned(), blocked),
        row(format!("Opted out of {category} within 24 hours"), broadcast.opt_outs),
    ]);
    rows
}
