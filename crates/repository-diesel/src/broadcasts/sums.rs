//! How many recipients have each state and reason. The sums are part of each transaction that changes
//! recipients.

use std::collections::BTreeMap;

use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{RecipientState, RecipientSums};

use crate::base::{
    connection::{AnyConnection, either},
    error::Failure,
    schema::broadcast_sums,
    statement::statement,
};

statement! {
    struct Add<'a> {
        broadcast: i64 as BigInt,
        state: &'a str as Text,
        reason: &'a str as Text,
        users: i64 as BigInt,
    }
    Sqlite | Pg => "
        INSERT INTO broadcast_sums (broadcast, state, reason, users)
        VALUES (:broadcast, :state, :reason, :users)
        ON CONFLICT (broadcast, state, reason)
        DO UPDATE SET users = broadcast_sums.users + excluded.users",
}

/// How many recipients of each broadcast came to a state, or left it.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<(i64, &'static str, String), i64>);

impl Changes {
    /// Recipients came from one state to another.
    pub(super) fn moved(
        &mut self,
        broadcast: i64,
        from: RecipientState,
        to: RecipientState,
        reason: Option<&str>,
        users: usize,
    ) {
        self.add(broadcast, from, None, users, -1);
        self.add(broadcast, to, reason, users, 1);
    }

    /// Recipients came to be.
    pub(super) fn added(&mut self, broadcast: i64, users: usize) {
        self.add(broadcast, RecipientState::Queued, None, users, 1);
    }

    fn add(
        &mut self,
        broadcast: i64,
        state: RecipientState,
        reason: Option<&str>,
        users: usize,
        sign: i64,
    ) {
        let key = (broadcast, state.name(), reason.unwrap_or_default().to_owned());
        *self.0.entry(key).or_default() += sign * i64::try_from(users).unwrap_or(i64::MAX);
    }

    /// Stores them, in one order, so that two transactions do not wait for each other.
    pub(super) fn store(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        for ((broadcast, state, reason), users) in &self.0 {
            if *users != 0 {
                let add = || Add { broadcast: *broadcast, state, reason, users: *users };
                either!(connection => add().execute(connection)?);
            }
        }
        Ok(())
    }
}

/// See [`BroadcastRepository::recipient_sums`](rollcall_repository::BroadcastRepository::recipient_sums).
pub(super) fn read(
    connection: &mut AnyConnection,
    broadcasts: &[i64],
) -> Result<BTreeMap<i64, RecipientSums>, Failure> {
    let rows: Vec<(i64, String, String, i64)> = broadcast_sums::table
        .filter(broadcast_sums::broadcast.eq_any(broadcasts))
        .filter(broadcast_sums::users.ne(0))
        .select((
            broadcast_sums::broadcast,
            broadcast_sums::state,
            broadcast_sums::reason,
            broadcast_sums::users,
        ))
        .load(connection)?;
    let mut all: BTreeMap<i64, RecipientSums> = BTreeMap::new();
    for (broadcast, state, reason, users) in rows {
        let state = recipient_state("broadcast_sums", broadcast, &state)?;
        let sums = all.entry(broadcast).or_default();
        sums.0.insert((state, reason), users.try_into().unwrap_or_default());
    }
    Ok(all)
}

/// See [`BroadcastRepository::claimed_broadcasts`](rollcall_repository::BroadcastRepository::claimed_broadcasts).
pub(super) fn claimed_broadcasts(connection: &mut AnyConnection) -> Result<Vec<i64>, Failure> {
    let claimed = broadcast_sums::table
        .filter(broadcast_sums::state.eq(RecipientState::Claimed.name()))
        .filter(broadcast_sums::users.gt(0))
        .order(broadcast_sums::broadcast)
        .select(broadcast_sums::broadcast);
    Ok(claimed.load(connection)?)
}

pub(super) fn recipient_state(
    table: &'static str,
    key: impl ToString,
    name: &str,
) -> Result<RecipientState, Failure> {
    RecipientState::from_name(name).ok_or_else(|| Failure::Corrupt {
        table,
        column: "state",
        key: key.to_string(),
        reason: "no state has this name".to_owned(),
    })
}
