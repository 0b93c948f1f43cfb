//! Users of a batch who are not to be stored: those who were erased and have not agreed to be stored
//! again, and new ones who have only written to a business account.
//!
//! They look like new users, so a batch of known users costs nothing here. The upsert has inserted them,
//! which makes the answer exact; see [`suppressed`](hashes::suppressed).

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use rollcall_domain::{Event, Interaction, QuarantinedUpdate, TelegramId};

use super::upserted::UpsertedUser;
use crate::{
    base::{
        error::Failure,
        schema::telegram_users,
        suppression_key::KeySource,
        transaction::{Transaction, alike},
    },
    suppression::hashes,
    users::lock::lock_sharded,
};

/// Allows that users are stored who agree to it in the batch.
pub(super) fn allow_agreeing(
    connection: &mut Transaction<'_>,
    key: &KeySource,
    interactions: &[&Interaction],
) -> Result<(), Failure> {
    let agreeing = interactions.iter().filter(|it| it.event == Some(Event::Agreed));
    let agreeing = agreeing.map(|it| it.telegram_id().get()).collect();
    hashes::allow(connection, key, &agreeing).map(drop)
}

/// The users in a batch who have only written to a business account in it.
pub(super) fn customers(interactions: &[&Interaction]) -> BTreeSet<i64> {
    let id = |it: &&Interaction| it.telegram_id().get();
    let (business, others): (Vec<&Interaction>, Vec<_>) =
        interactions.iter().partition(|it| it.kind.is_business_message());
    let customers: BTreeSet<i64> = business.iter().map(id).collect();
    if customers.is_empty() {
        return customers;
    }
    let others: BTreeSet<i64> = others.iter().map(id).collect();
    &customers - &others
}

/// The users who were taken out of a batch.
pub(super) struct TakenOut {
    /// All of them, each with whether the sums count the user.
    pub(super) users: BTreeMap<i64, bool>,
    /// Those who were erased.
    pub(super) suppressed: BTreeSet<i64>,
}

/// Takes the suppressed users, and those of the customers who are new, out of the rows of the upsert, and
/// deletes theirs again.
pub(super) fn take_out(
    connection: &mut Transaction<'_>,
    key: &KeySource,
    customers: &BTreeSet<i64>,
    rows: &mut Vec<UpsertedUser>,
) -> Result<TakenOut, Failure> {
    let new: Vec<i64> = rows.iter().filter(|row| row.is_new()).map(UpsertedUser::id).collect();
    let suppressed = hashes::suppressed(connection, key, &new)?;
    let mut ids: BTreeSet<i64> = new.into_iter().filter(|id| customers.contains(id)).collect();
    ids.extend(&suppressed);
    if ids.is_empty() {
        return Ok(TakenOut { users: BTreeMap::new(), suppressed });
    }
    alike!(connection => diesel::delete(
        telegram_users::table.filter(telegram_users::telegram_id.eq_any(&ids)),
    )
    .execute(connection))?;
    let (taken, left) = std::mem::take(rows).into_iter().partition(|row| ids.contains(&row.id()));
    *rows = left;
    let taken: Vec<UpsertedUser> = taken;
    let users = taken.into_iter().map(|row| (row.id(), row.is_counted)).collect();
    Ok(TakenOut { users, suppressed })
}

/// The updates that are to be quarantined: not those of suppressed users.
pub(super) fn without<'a>(
    connection: &mut Transaction<'_>,
    key: &KeySource,
    updates: &'a [QuarantinedUpdate],
) -> Result<Vec<&'a QuarantinedUpdate>, Failure> {
    let users: BTreeSet<i64> =
        updates.iter().filter_map(|it| it.telegram_id).map(TelegramId::get).collect();
    if let Transaction::Postgres(connection) = connection {
        // Waits for a transaction that is erasing such a user.
        match connection.shards().cloned() {
            Some(shards) => lock_sharded(connection, &shards, &users)?,
            None => {
                let locked = telegram_users::table
                    .filter(telegram_users::telegram_id.eq_any(&users))
                    .order(telegram_users::telegram_id)
                    .select(telegram_users::telegram_id)
                    .for_key_share();
                locked.load::<i64>(connection)?;
            }
        }
    }
    let users: Vec<i64> = users.into_iter().collect();
    let suppressed = hashes::suppressed(connection, key, &users)?;
    let is_kept = |update: &&QuarantinedUpdate| {
        update.telegram_id.is_none_or(|id| !suppressed.contains(&id.get()))
    };
    Ok(updates.iter().filter(is_kept).collect())
}
