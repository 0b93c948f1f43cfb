//! Claiming recipients: who gets the message is decided here, as late as possible.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::{
    Arm, Broadcast, BroadcastResponse, BroadcastState, RecipientState, SYSTEM_CATEGORY, SkipReason,
    TelegramId, TelegramUser,
};
use rollcall_repository::{RecipientClaim, RecipientOutcome, Rest};

use super::{
    outcome::{in_state, set},
    responses,
    sender::lock_as,
    sums::Changes,
    waiting::{self, Looked},
    week::Week,
};
use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{broadcast_recipients, broadcast_sender, broadcasts, opt_outs, telegram_users},
    },
    row::{columns::UserRow, user::telegram_id},
};

/// Why the bot cannot write to a user who has never opened a chat with it.
const NO_PRIVATE_CHAT: &str = "no_private_chat";

/// Which database this is, and how often recipients were claimed, ever.
type Claims = (String, i64);

/// Claims recipients. Also returns the number of claims, if that has changed. Runs in a transaction.
pub(super) fn claim(
    connection: &mut AnyConnection,
    holder: &str,
    broadcast: i64,
    after: Option<TelegramId>,
    limit: u32,
    at: DateTime<Utc>,
) -> Result<Option<(RecipientClaim, Option<Claims>)>, Failure> {
    if !lock_as(connection, holder)? {
        return Ok(None);
    }
    let Some(known) = in_state(connection, broadcast, BroadcastState::Sending)? else {
        return Ok(Some((RecipientClaim::default(), None)));
    };
    let blocks = responses::read(connection, broadcast)?.of(BroadcastResponse::Blocked);
    let claim = RecipientClaim {
        opt_outs: known.opt_outs,
        blocks,
        is_sending: true,
        ..RecipientClaim::default()
    };
    let is_expired = known.expires_at().is_some_and(|end| end <= at);
    if known.is_testing() && (known.pick.is_some() || is_expired) {
        return Ok(Some((RecipientClaim { rest: Rest::Undecided, ..claim }, None)));
    }
    // The rows of settled recipients are not read again.
    let after = after.max(known.settled_to).map_or(0, TelegramId::get);
    let Looked { ids, waited, last, rest } = if known.plan.times.are_any() && !known.is_testing() {
        look(connection, broadcast, after, limit)?
    } else {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        waiting::look(connection, &known, after, limit, at)?
    };
    if rest != Rest::More {
        return Ok(Some((RecipientClaim { rest, ..claim }, None)));
    }
    let left_out = if is_expired {
        ids.iter().map(|id| (*id, SkipReason::Expired)).collect()
    } else {
        left_out(connection, &known, &ids, at)?
    };
    let users: Vec<UserRow> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(&ids))
        .select(UserRow::as_select())
        .load(connection)?;
    let mut users: BTreeMap<i64, TelegramUser> = users
        .into_iter()
        .map(|row| row.into_user().map(|user| (user.telegram_id.get(), user)))
        .collect::<Result<_, _>>()?;
    let (mut outcomes, mut claimed) = (Vec::new(), Vec::new());
    let mut claimed_waited = BTreeSet::new();
    let mut arms: BTreeMap<Arm, Vec<i64>> = BTreeMap::new();
    let mut variants = BTreeMap::new();
    for (place, id) in ids.into_iter().enumerate() {
        let user = users.remove(&id);
        let telegram_id = telegram_id("broadcast_recipients", id)?;
        let (mut state, mut reason) = outcome(user.as_ref(), left_out.get(&id).copied());
        // Last, so that the held-out part has only users who would get the message, like the other part.
        if state == RecipientState::Claimed
            && known.plan.experiment.is_held_out(broadcast, telegram_id)
        {
            (state, reason) = (RecipientState::Skipped, Some(SkipReason::HeldOut.name()));
        }
        let reason = reason.map(str::to_owned);
        outcomes.push(RecipientOutcome { telegram_id, state, reason, message_id: None, at });
        if state == RecipientState::Claimed {
            claimed_waited.extend((place < waited).then_some(telegram_id));
            claimed.extend(user);
            if known.plan.experiment.is_any() {
                let is_decided = known.decision.is_some();
                let arm = known.plan.experiment.arm(broadcast, telegram_id, is_decided);
                let arm = arm.unwrap_or(Arm::Winner);
                arms.entry(arm).or_default().push(id);
                variants.insert(telegram_id, known.variant_of(arm));
            }
        }
    }
    set(connection, broadcast, RecipientState::Queued, &outcomes)?;
    set_arms(connection, broadcast, arms)?;
    if let Some(last) = last {
        diesel::update(broadcasts::table.find(broadcast).filter(broadcasts::claimed_to.lt(last)))
            .set(broadcasts::claimed_to.eq(last))
            .execute(connection)?;
    }
    diesel::update(broadcast_sender::table)
        .set(broadcast_sender::claims.eq(broadcast_sender::claims + 1))
        .execute(connection)?;
    let claims = broadcast_sender::table
        .select((broadcast_sender::origin.assume_not_null(), broadcast_sender::claims))
        .first(connection)?;
    let last = last.and_then(|last| TelegramId::try_from(last).ok());
    let (users, waited) = (claimed, claimed_waited);
    let claim = RecipientClaim { users, waited, variants, last, rest, ..claim };
    Ok(Some((claim, Some(claims))))
}

/// Notes to which arms claimed recipients belong.
fn set_arms(
    connection: &mut AnyConnection,
    broadcast: i64,
    arms: BTreeMap<Arm, Vec<i64>>,
) -> QueryResult<()> {
    let mut changes = Changes::default();
    for (arm, ids) in arms {
        let arm = arm.name();
        let changed = diesel::update(broadcast_recipients::table)
            .filter(broadcast_recipients::telegram_id.eq_any(&ids))
            .filter(broadcast_recipients::broadcast.eq(broadcast))
            .filter(broadcast_recipients::state.eq(RecipientState::Claimed.name()))
            .set(broadcast_recipients::arm.eq(&arm))
            .execute(connection)?;
        let changed = i64::try_from(changed).unwrap_or(i64::MAX);
        changes.add_to_arm(broadcast, &arm, RecipientState::Claimed, changed);
    }
    changes.store(connection)
}

/// Looks at the recipients after an id.
fn look(
    connection: &mut AnyConnection,
    broadcast: i64,
    after: i64,
    limit: u32,
) -> QueryResult<Looked> {
    let ids: Vec<i64> = broadcast_recipients::table
        .filter(broadcast_recipients::broadcast.eq(broadcast))
        .filter(broadcast_recipients::telegram_id.gt(after))
        .filter(broadcast_recipients::state.eq(RecipientState::Queued.name()))
        .order(broadcast_recipients::telegram_id)
        .limit(limit.into())
        .select(broadcast_recipients::telegram_id)
        .load(connection)?;
    let last = ids.last().copied();
    let rest = if last.is_some() { Rest::More } else { Rest::Nothing };
    Ok(Looked { ids, waited: 0, last, rest })
}

/// What becomes of a recipient: `Claimed` if the message is to be sent.
fn outcome(
    user: Option<&TelegramUser>,
    left_out: Option<SkipReason>,
) -> (RecipientState, Option<&'static str>) {
    match (user, left_out) {
        (None, _) => (RecipientState::Skipped, Some(SkipReason::Erased.name())),
        (_, Some(reason)) => (RecipientState::Skipped, Some(reason.name())),
        (Some(user), None) => match user.reachability.obstacle {
            Some(obstacle) => (RecipientState::Unreachable, Some(obstacle.name())),
            None if !user.reachability.has_private_chat => {
                (RecipientState::Unreachable, Some(NO_PRIVATE_CHAT))
            }
            None => (RecipientState::Claimed, None),
        },
    }
}

/// Which of these users must not get the message.
fn left_out(
    connection: &mut AnyConnection,
    broadcast: &Broadcast,
    ids: &[i64],
    at: DateTime<Utc>,
) -> Result<BTreeMap<i64, SkipReason>, Failure> {
    let category = broadcast.plan.category.as_str();
    if category == SYSTEM_CATEGORY {
        return Ok(BTreeMap::new());
    }
    let opted_out: Vec<i64> = opt_outs::table
        .filter(opt_outs::telegram_id.eq_any(ids))
        .filter(opt_outs::category.eq(category))
        .select(opt_outs::telegram_id)
        .load(connection)?;
    let mut left_out = BTreeMap::new();
    if let Some(week) = Week::of(connection, category, at)? {
        let capped = week.capped(connection, ids)?;
        left_out.extend(capped.into_iter().map(|id| (id, SkipReason::Capped)));
    }
    left_out.extend(opted_out.into_iter().map(|id| (id, SkipReason::OptedOut)));
    Ok(left_out)
}
