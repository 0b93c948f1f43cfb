//! How many recipients have each state and reason. The sums are part of each transaction that changes
//! recipients.

use std::collections::BTreeMap;

use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use rollcall_domain::{Arm, ArmSums, RecipientState, RecipientSums};

use crate::base::{
    connection::{AnyConnection, either},
    error::Failure,
    schema::{broadcast_arm_sums, broadcast_sums},
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

statement! {
    struct AddToArm<'a> {
        broadcast: i64 as BigInt,
        arm: &'a str as Text,
        state: &'a str as Text,
        users: i64 as BigInt,
    }
    Sqlite | Pg => "
        INSERT INTO broadcast_arm_sums (broadcast, arm, state, users)
        VALUES (:broadcast, :arm, :state, :users)
        ON CONFLICT (broadcast, arm, state)
        DO UPDATE SET users = broadcast_arm_sums.users + excluded.users",
}

/// How many recipients of each broadcast, and of each arm, came to a state, or left it.
#[derive(Debug, Default)]
pub(super) struct Changes {
    all: BTreeMap<(i64, &'static str, String), i64>,
    arms: BTreeMap<(i64, String, &'static str), i64>,
}

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

    /// A recipient of an arm whose message was going out came to another state. One that is queued again
    /// belongs to no arm.
    pub(super) fn moved_in_arm(
        &mut self,
        broadcast: i64,
        arm: Option<&str>,
        from: RecipientState,
        to: RecipientState,
    ) {
        let Some(arm) = arm.filter(|_| from == RecipientState::Claimed) else { return };
        self.add_to_arm(broadcast, arm, from, -1);
        if to != RecipientState::Queued {
            self.add_to_arm(broadcast, arm, to, 1);
        }
    }

    /// Recipients came to an arm, or left it.
    pub(super) fn add_to_arm(
        &mut self,
        broadcast: i64,
        arm: &str,
        state: RecipientState,
        users: i64,
    ) {
        *self.arms.entry((broadcast, arm.to_owned(), state.name())).or_default() += users;
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
        *self.all.entry(key).or_default() += sign * i64::try_from(users).unwrap_or(i64::MAX);
    }

    /// Stores them, in one order, so that two transactions do not wait for each other.
    pub(super) fn store(&self, connection: &mut AnyConnection) -> QueryResult<()> {
        for ((broadcast, state, reason), users) in &self.all {
            if *users != 0 {
                let add = || Add { broadcast: *broadcast, state, reason, users: *users };
                either!(connection => add().execute(connection)?);
            }
        }
        for ((broadcast, arm, state), users) in &self.arms {
            if *users != 0 {
                let add = || AddToArm { broadcast: *broadcast, arm, state, users: *users };
                either!(connection => add().execute(connection)?);
            }
        }
        Ok(())
    }
}

/// See [`BroadcastRepository::arm_sums`](rollcall_repository::BroadcastRepository::arm_sums).
pub(super) fn of_arms(connection: &mut AnyConnection, broadcast: i64) -> Result<ArmSums, Failure> {
    let rows: Vec<(String, String, i64)> = broadcast_arm_sums::table
        .filter(broadcast_arm_sums::broadcast.eq(broadcast))
        .filter(broadcast_arm_sums::users.ne(0))
        .select((broadcast_arm_sums::arm, broadcast_arm_sums::state, broadcast_arm_sums::users))
        .load(connection)?;
    let sum = |(arm, state, users): (String, String, i64)| {
        let state = recipient_state("broadcast_arm_sums", broadcast, &state)?;
        Ok((
            (read_arm("broadcast_arm_sums", broadcast, &arm)?, state),
            users.try_into().unwrap_or(0),
        ))
    };
    rows.into_iter().map(sum).collect::<Result<_, Failure>>().map(ArmSums)
}

pub(super) fn read_arm(
    table: &'static str,
    key: impl ToString,
    name: &str,
) -> Result<Arm, Failure> {
    Arm::from_name(name).ok_or_else(|| Failure::Corrupt {
        table,
        column: "arm",
        key: key.to_string(),
        reason: "expected a variant or winner".to_owned(),
    })
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
