//! What recipients did after their message, as sums. They are part of each transaction that stores what
//! a recipient did.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{
    Arm, ArmResponse, BLOCK_COUNTS_FOR, BroadcastResponse, RecipientState, ResponseSums,
    TelegramId, UnreachableReason, is_response,
};

use crate::base::{
    connection::AnyConnection,
    error::Failure,
    schema::{broadcast_recipients, broadcast_responses, reach_history},
    statement::statement,
    timestamp::UtcMicros,
    transaction::{Transaction, alike},
};

statement! {
    struct Add<'a> {
        broadcast: i64 as BigInt,
        response: &'a str as Text,
        users: i64 as BigInt,
    }
    Sqlite | Pg => "
        INSERT INTO broadcast_responses (broadcast, response, users)
        VALUES (:broadcast, :response, :users)
        ON CONFLICT (broadcast, response)
        DO UPDATE SET users = broadcast_responses.users + excluded.users",
}

/// How many recipients of each broadcast did what, as changes of the sums.
#[derive(Debug, Default)]
pub(crate) struct Responses(BTreeMap<(i64, BroadcastResponse), i64>);

impl Responses {
    pub(super) fn add(&mut self, broadcast: i64, response: BroadcastResponse, users: i64) {
        *self.0.entry((broadcast, response)).or_default() += users;
    }

    /// The same for the arm of the recipient, if it has one.
    pub(super) fn add_of(
        &mut self,
        broadcast: i64,
        arm: Option<&str>,
        response: ArmResponse,
        users: i64,
    ) {
        if let Some(arm) = arm.and_then(Arm::from_name) {
            self.add(broadcast, BroadcastResponse::Of(arm, response), users);
        }
    }

    /// Notes that a user blocked the bot, whose row of `reach_history` was just added. It is a response to
    /// the broadcasts that the user has, but only the first block after each counts.
    ///
    /// While a message is going out, a block that the user reports is a response to it, because it may have
    /// arrived. A block that Telegram reports instead of taking the message is none: see `has_claimed`.
    pub(crate) fn note_block(
        &mut self,
        connection: &mut Transaction<'_>,
        id: TelegramId,
        at: DateTime<Utc>,
        has_claimed: bool,
    ) -> QueryResult<()> {
        let claimed = has_claimed.then_some(RecipientState::Claimed);
        let has = [RecipientState::Sent, RecipientState::Unknown].into_iter().chain(claimed);
        let has: Vec<&str> = has.map(RecipientState::name).collect();
        let since = UtcMicros::from(at - BLOCK_COUNTS_FOR);
        let messages: Vec<(i64, UtcMicros, Option<String>)> = alike!(connection => broadcast_recipients::table
            .filter(broadcast_recipients::telegram_id.eq(id.get()))
            .filter(broadcast_recipients::state.eq_any(&has))
            .filter(broadcast_recipients::at.gt(since))
            .select((
                broadcast_recipients::broadcast,
                broadcast_recipients::at.assume_not_null(),
                broadcast_recipients::arm,
            ))
            .load(connection)?);
        let mut messages: Vec<(i64, DateTime<Utc>, Option<String>)> = messages
            .into_iter()
            .map(|(broadcast, sent_at, arm)| (broadcast, sent_at.into(), arm))
            .filter(|(_, sent_at, _)| is_response(at, *sent_at))
            .collect();
        if messages.is_empty() {
            return Ok(());
        }
        let others = blocks_around(connection, id, at)?;
        messages
            .retain(|(_, sent_at, _)| !others.iter().any(|other| is_response(*other, *sent_at)));
        for (broadcast, _, arm) in messages {
            self.add(broadcast, BroadcastResponse::Blocked, 1);
            self.add_of(broadcast, arm.as_deref(), ArmResponse::Blocked, 1);
        }
        Ok(())
    }

    /// Adds the changes to the sums, in one order, so that two transactions do not wait for each other.
    pub(crate) fn store(&self, connection: &mut Transaction<'_>) -> QueryResult<()> {
        for ((broadcast, response), users) in &self.0 {
            let response = response.name();
            let add = Add { broadcast: *broadcast, response: &response, users: *users };
            alike!(connection => add.execute(connection)?);
        }
        Ok(())
    }
}

/// When a user blocked the bot at other times that are close to this one.
fn blocks_around(
    connection: &mut Transaction<'_>,
    id: TelegramId,
    at: DateTime<Utc>,
) -> QueryResult<Vec<DateTime<Utc>>> {
    let widely = BLOCK_COUNTS_FOR * 2;
    let (from, to) = (UtcMicros::from(at - widely), UtcMicros::from(at + widely));
    let times: Vec<UtcMicros> = alike!(connection => reach_history::table
        .filter(reach_history::telegram_id.eq(id.get()))
        .filter(reach_history::change.eq(UnreachableReason::Blocked.name()))
        .filter(reach_history::at.between(from, to))
        .filter(reach_history::at.ne(UtcMicros::from(at)))
        .select(reach_history::at)
        .load(connection)?);
    Ok(times.into_iter().map(Into::into).collect())
}

/// See [`BroadcastRepository::responses`](rollcall_repository::BroadcastRepository::responses).
pub(super) fn read(
    connection: &mut AnyConnection,
    broadcast: i64,
) -> Result<ResponseSums, Failure> {
    let rows: Vec<(String, i64)> = broadcast_responses::table
        .filter(broadcast_responses::broadcast.eq(broadcast))
        .select((broadcast_responses::response, broadcast_responses::users))
        .load(connection)?;
    let sum = |(name, users): (String, i64)| {
        let response = BroadcastResponse::from_name(&name).ok_or_else(|| Failure::Corrupt {
            table: "broadcast_responses",
            column: "response",
            key: broadcast.to_string(),
            reason: "no response has this name".to_owned(),
        })?;
        Ok((response, users.try_into().unwrap_or_default()))
    };
    rows.into_iter().map(sum).collect::<Result<_, Failure>>().map(ResponseSums)
}
