//! Deciding which variant the recipients get that wait for it.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use rollcall_domain::{
    Arm, AuditAction, Broadcast, BroadcastState, Decision, Pick, RecipientState, TelegramId,
    Variant, VariantFigures,
};
use rollcall_repository::ChangedBroadcast;

use super::{
    content::{stored_decision, stored_pick},
    outcome::in_state,
    plan::Author,
    responses,
    row::find,
    sender::{lock, lock_as},
    sums, waiting,
};
use crate::{
    admin::audit::entry::add_entry,
    base::{connection::AnyConnection, error::Failure, schema::broadcasts, timestamp::UtcMicros},
};

/// How many recipients are looked at at once to find one that is still to be tested.
const PAGE: i64 = 1_000;
/// After this time it is asked again while messages are on their way.
const SOON: TimeDelta = TimeDelta::seconds(1);

/// See [`BroadcastRepository::decide_winner`](rollcall_repository::BroadcastRepository::decide_winner).
/// Runs in a transaction.
pub(super) fn decide(
    connection: &mut AnyConnection,
    holder: &str,
    broadcast: i64,
    at: DateTime<Utc>,
) -> Result<Option<Option<DateTime<Utc>>>, Failure> {
    if !lock_as(connection, holder)? {
        return Ok(None);
    }
    let found = in_state(connection, broadcast, BroadcastState::Sending)?;
    let Some(known) = found.filter(Broadcast::is_testing) else { return Ok(Some(None)) };
    let Some(test) = known.plan.experiment.test else { return Ok(Some(None)) };
    let sums = sums::read(connection, &[broadcast])?.remove(&broadcast).unwrap_or_default();
    if sums.of(RecipientState::Claimed) > 0 {
        return Ok(Some(Some(at + SOON)));
    }
    let expires_at = known.expires_at();
    if known.pick.is_none() && expires_at.is_none_or(|end| end > at) {
        if is_untested(connection, &known)? {
            return Ok(Some(Some(at)));
        }
        if let Some(due) = waiting::next(connection, broadcast)? {
            return Ok(Some(Some(due)));
        }
        let tested_at = known.tested_at.unwrap_or(at);
        if known.tested_at.is_none() {
            diesel::update(broadcasts::table.find(broadcast))
                .set(broadcasts::tested_at.eq(UtcMicros::from(at)))
                .execute(connection)?;
        }
        let decides_at = tested_at + test.after;
        if decides_at > at {
            return Ok(Some(Some(expires_at.map_or(decides_at, |end| end.min(decides_at)))));
        }
    }
    let figures = figures(connection, &known)?;
    let winner = known.pick.as_ref().map_or_else(|| test.by.winner(&figures), |it| it.winner);
    let decision = Decision { winner, at, pick: known.pick.clone(), figures };
    // Those that wait lie before the settled part, so the order of ids begins again.
    diesel::update(broadcasts::table.find(broadcast))
        .set((broadcasts::decision.eq(stored_decision(&decision)), broadcasts::settled_to.eq(0)))
        .execute(connection)?;
    Ok(Some(None))
}

/// Whether a recipient behind the settled part is still to get a variant.
fn is_untested(connection: &mut AnyConnection, known: &Broadcast) -> QueryResult<bool> {
    let mut after = known.settled_to.map_or(0, TelegramId::get);
    loop {
        let page = waiting::next_without(connection, known.id, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(false) };
        after = *last;
        if page.iter().any(|id| !waiting::waits_for_winner(known, *id)) {
            return Ok(true);
        }
    }
}

/// What became of each variant until now.
fn figures(
    connection: &mut AnyConnection,
    known: &Broadcast,
) -> Result<Vec<VariantFigures>, Failure> {
    let sums = sums::of_arms(connection, known.id)?;
    let responses = responses::read(connection, known.id)?;
    let figures = known.plan.experiment.variants().map(|variant| {
        let arm = Arm::Variant(variant);
        responses.figures(arm, sums.of(arm, RecipientState::Sent))
    });
    Ok(figures.collect())
}

/// See [`BroadcastRepository::pick_winner`](rollcall_repository::BroadcastRepository::pick_winner). Runs in
/// a transaction.
pub(super) fn pick(
    connection: &mut AnyConnection,
    id: i64,
    winner: Variant,
    author: &Author,
) -> Result<ChangedBroadcast, Failure> {
    lock(connection)?;
    let Some(known) = find(connection, id)? else { return Ok(ChangedBroadcast::Missing) };
    let has_variant = known.plan.experiment.variants().any(|it| it == winner);
    let is_open = known.started_at.is_some() && !known.state.has_ended();
    if !known.is_testing() || !is_open || !has_variant {
        return Ok(ChangedBroadcast::Refused(known));
    }
    let by = author.by.as_ref().map(ToString::to_string);
    diesel::update(broadcasts::table.find(id))
        .set(broadcasts::pick.eq(stored_pick(&Pick { winner, by })))
        .execute(connection)?;
    let new = format!("{id} {}; winner {winner}", known.plan.name);
    add_entry(connection, &author.entry(AuditAction::ChangedBroadcast, new))?;
    Ok(find(connection, id)?.map_or(ChangedBroadcast::Missing, ChangedBroadcast::Changed))
}
