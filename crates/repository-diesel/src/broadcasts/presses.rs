//! Presses of the buttons below broadcasts.

use chrono::{DateTime, Utc};
use diesel::{dsl::min, prelude::*};
use rollcall_domain::{
    Arm, ArmResponse, BroadcastButton, BroadcastContent, BroadcastResponse, Buttons,
    RecipientState, TelegramId, Variant,
};

use super::{
    content::{read_content, read_decision, read_experiment},
    responses::Responses,
};
use crate::{
    base::{
        connection::AnyConnection,
        schema::{broadcast_presses, broadcast_recipients, broadcasts},
        timestamp::UtcMicros,
        transaction::{Transaction, alike},
    },
    users::lock::lock,
};

/// Notes that a user pressed a button, whose row is locked. Only the first press of a button counts, and
/// only if the user is a recipient who may have the message, because presses can be forged. Returns whether
/// it counts.
pub(crate) fn note_press(
    connection: &mut Transaction<'_>,
    responses: &mut Responses,
    id: TelegramId,
    BroadcastButton { broadcast, button }: BroadcastButton,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    let telegram_id = id.get();
    // The outcome of a message that is going out may be stored after the press.
    let has = [RecipientState::Sent, RecipientState::Claimed, RecipientState::Unknown];
    let row: Option<MessageRow> = alike!(connection => broadcast_recipients::table
        .inner_join(broadcasts::table.on(broadcasts::id.eq(broadcast_recipients::broadcast)))
        .filter(broadcast_recipients::telegram_id.eq(telegram_id))
        .filter(broadcast_recipients::broadcast.eq(broadcast))
        .filter(broadcast_recipients::state.eq_any(has.map(RecipientState::name)))
        .select((
            broadcast_recipients::arm,
            broadcasts::content,
            broadcasts::experiment,
            broadcasts::decision,
        ))
        .first(connection)
        .optional()?);
    let Some(row) = row else { return Ok(false) };
    let arm = row.0.clone();
    let has_variants = row.2.is_some();
    if !content_of(row).is_some_and(|content| has_button(&content, button)) {
        return Ok(false);
    }
    let press = (
        broadcast_presses::telegram_id.eq(telegram_id),
        broadcast_presses::broadcast.eq(broadcast),
        broadcast_presses::button.eq(i32::from(button)),
        broadcast_presses::at.eq(UtcMicros::from(at)),
    );
    let inserted = alike!(connection => diesel::insert_into(broadcast_presses::table)
        .values(press)
        .on_conflict_do_nothing()
        .execute(connection)?);
    if inserted == 0 {
        return Ok(false);
    }
    let arm = arm.as_deref();
    // The buttons of one variant are not those of another.
    match has_variants {
        true => responses.add_of(broadcast, arm, ArmResponse::Button(button), 1),
        false => responses.add(broadcast, BroadcastResponse::Button(button), 1),
    }
    let pressed: i64 = alike!(connection => broadcast_presses::table
        .filter(broadcast_presses::telegram_id.eq(telegram_id))
        .filter(broadcast_presses::broadcast.eq(broadcast))
        .count()
        .get_result(connection)?);
    if pressed == 1 {
        responses.add(broadcast, BroadcastResponse::Pressed, 1);
        responses.add_of(broadcast, arm, ArmResponse::Pressed, 1);
    }
    Ok(true)
}

/// The arm of a recipient, and the content, the experiment and the decision of the broadcast.
type MessageRow = (Option<String>, String, Option<String>, Option<String>);

/// What a recipient got.
fn content_of((arm, content, experiment, decision): MessageRow) -> Option<BroadcastContent> {
    let variant = match arm.as_deref().and_then(Arm::from_name) {
        None => Variant::A,
        Some(Arm::Variant(variant)) => variant,
        Some(Arm::Winner) => read_decision(&decision?)?.winner,
    };
    match variant.place().checked_sub(1) {
        None => read_content(&content),
        Some(place) => read_experiment(&experiment?)?.others.into_iter().nth(place),
    }
}

/// See [`BroadcastRepository::received_content`](rollcall_repository::BroadcastRepository::received_content).
pub(super) fn received(
    connection: &mut AnyConnection,
    broadcast: i64,
    id: TelegramId,
) -> QueryResult<Option<BroadcastContent>> {
    let row: Option<MessageRow> = broadcast_recipients::table
        .inner_join(broadcasts::table.on(broadcasts::id.eq(broadcast_recipients::broadcast)))
        .filter(broadcast_recipients::telegram_id.eq(id.get()))
        .filter(broadcast_recipients::broadcast.eq(broadcast))
        .select((
            broadcast_recipients::arm,
            broadcasts::content,
            broadcasts::experiment,
            broadcasts::decision,
        ))
        .first(connection)
        .optional()?;
    Ok(row.and_then(content_of))
}

/// Whether the messages have a button of this number that counts presses.
fn has_button(content: &BroadcastContent, number: u16) -> bool {
    let BroadcastContent::Text { buttons, .. } = content else { return false };
    let buttons: Buttons = buttons.parse().unwrap_or_default();
    buttons.get(number).is_some_and(|button| button.target().counts_presses())
}

/// See [`BroadcastRepository::press_button`](rollcall_repository::BroadcastRepository::press_button).
/// Runs in a transaction.
pub(super) fn press(
    connection: &mut AnyConnection,
    id: TelegramId,
    button: BroadcastButton,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    // Keeps the user from being erased, and from pressing two buttons at once.
    if !lock(connection, id.get())? {
        return Ok(false);
    }
    let (mut transaction, mut responses) = (Transaction::from(connection), Responses::default());
    let counts = note_press(&mut transaction, &mut responses, id, button, at)?;
    responses.store(&mut transaction)?;
    Ok(counts)
}

/// When the recipients of a broadcast within a range of ids first pressed a button, by id.
pub(super) fn first_presses(
    connection: &mut AnyConnection,
    broadcast: i64,
    (first, last): (i64, i64),
) -> QueryResult<Vec<(i64, Option<UtcMicros>)>> {
    broadcast_presses::table
        .filter(broadcast_presses::telegram_id.between(first, last))
        .filter(broadcast_presses::broadcast.eq(broadcast))
        .group_by(broadcast_presses::telegram_id)
        .select((broadcast_presses::telegram_id, min(broadcast_presses::at)))
        .load(connection)
}
