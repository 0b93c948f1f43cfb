//! Users that the sums leave out.
//!
//! What such a user had counted before stays in the sums about the past, and is kept apart, by user. So
//! a recount adds that instead of the user's facts. A user who counts again replaces it by the facts.
//!
//! The users that are left out change only under [`lock_database`], which waits for the transactions that have
//! changed users. Every other transaction reads them after it has locked a user.

use std::collections::BTreeSet;

use diesel::{Connection, dsl::exists, prelude::*};
use rollcall_domain::Sums;

use super::{
    add::add_sums,
    facts::add_user_with_id,
    sums::{DayRow, figure},
};
use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{telegram_users, uncounted_sums, uncounted_users},
        transaction::Transaction,
    },
    users::lock::lock_database,
};

/// The ids of the users that the sums leave out.
pub(crate) fn uncounted(connection: &mut AnyConnection) -> QueryResult<BTreeSet<i64>> {
    let ids: Vec<i64> =
        uncounted_users::table.select(uncounted_users::telegram_id).load(connection)?;
    Ok(ids.into_iter().collect())
}

/// Whether the sums count a user, whose row is locked.
pub(crate) fn is_counted(connection: &mut AnyConnection, id: i64) -> QueryResult<bool> {
    let is_left_out = exists(uncounted_users::table.find(id));
    Ok(!diesel::select(is_left_out).get_result::<bool>(connection)?)
}

/// See [`ActivityRepository::leave_out`](rollcall_repository::ActivityRepository::leave_out).
pub(super) fn leave_out(
    connection: &mut AnyConnection,
    users: &BTreeSet<i64>,
) -> Result<(), Failure> {
    connection.transaction(|connection| {
        lock_database(connection)?;
        let before = uncounted(connection)?;
        for &id in users.difference(&before) {
            begin(connection, id)?;
        }
        for &id in before.difference(users) {
            end(connection, id)?;
        }
        Ok(())
    })
}

/// Leaves a user out from now on.
fn begin(connection: &mut AnyConnection, id: i64) -> Result<(), Failure> {
    let mut present = Sums::default();
    for ((figure, day, label), value) in share(connection, id)? {
        if figure.is_of_the_present() {
            present.add(figure, day, label, -value);
            continue;
        }
        diesel::insert_into(uncounted_sums::table)
            .values((
                uncounted_sums::telegram_id.eq(id),
                uncounted_sums::figure.eq(figure.name()),
                uncounted_sums::day.eq(day),
                uncounted_sums::label.eq(label.text()),
                uncounted_sums::value.eq(value),
            ))
            .execute(connection)?;
    }
    add_sums(&mut Transaction::from(&mut *connection), &present)?;
    diesel::insert_into(uncounted_users::table)
        .values(uncounted_users::telegram_id.eq(id))
        .execute(connection)?;
    Ok(())
}

/// Counts a user again.
fn end(connection: &mut AnyConnection, id: i64) -> Result<(), Failure> {
    let (mut kept, mut added) = (Sums::default(), Sums::default());
    take_kept(connection, id, &mut kept)?;
    for ((figure, day, label), value) in share(connection, id)? {
        // With its label as it is stored, because those that are kept have no other form.
        added.add(figure, day, label.text().into_owned().into(), value);
    }
    for ((figure, day, label), value) in kept {
        added.add(figure, day, label, -value);
    }
    add_sums(&mut Transaction::from(&mut *connection), &added)?;
    diesel::delete(uncounted_users::table.find(id)).execute(connection)?;
    Ok(())
}

/// What a user counts according to the facts; nothing if there is no such user.
fn share(connection: &mut AnyConnection, id: i64) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    if diesel::select(exists(telegram_users::table.find(id))).get_result(connection)? {
        add_user_with_id(connection, id, &mut sums)?;
    }
    Ok(sums)
}

/// Deletes what is kept of a user that the sums leave out, and adds it to `sums`.
pub(super) fn take_kept(
    connection: &mut AnyConnection,
    id: i64,
    sums: &mut Sums,
) -> Result<(), Failure> {
    let of_user = || uncounted_sums::table.filter(uncounted_sums::telegram_id.eq(id));
    let rows: Vec<DayRow> = of_user().select(COLUMNS).load(connection)?;
    for DayRow { figure: name, day, label, value } in rows {
        sums.add(figure(&name)?, day, label.into(), value);
    }
    diesel::delete(of_user()).execute(connection)?;
    Ok(())
}

/// What is kept of all users that the sums leave out.
pub(super) fn kept(connection: &mut AnyConnection) -> QueryResult<Vec<DayRow>> {
    uncounted_sums::table.select(COLUMNS).load(connection)
}

/// The columns of a [`DayRow`].
const COLUMNS: (
    uncounted_sums::figure,
    uncounted_sums::day,
    uncounted_sums::label,
    uncounted_sums::value,
) = (uncounted_sums::figure, uncounted_sums::day, uncounted_sums::label, uncounted_sums::value);
