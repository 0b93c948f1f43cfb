use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{Connection, prelude::*};
use rollcall_domain::{SignInFailures, SignInLimit};
use rollcall_repository::{Digest, RepositoryError, SignInAttemptRepository, SignInWait};

use crate::{
    admin::store::DieselAdminRepository,
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::sign_in_failures,
        timestamp::UtcMicros,
    },
};

#[async_trait]
impl SignInAttemptRepository for DieselAdminRepository {
    async fn attempt(
        &self,
        keys: &[(Digest, SignInLimit)],
        now: DateTime<Utc>,
    ) -> Result<Vec<SignInWait>, RepositoryError> {
        let mut keys = keys.to_vec();
        // Sorted, so that all transactions lock them in one order.
        keys.sort_unstable_by_key(|(key, _)| *key);
        // Read before anything is locked, so that a flood of attempts that have to wait writes
        // nothing.
        let waits = {
            let keys = keys.clone();
            let read = move |connection: &mut AnyConnection| waits(connection, &keys, now);
            self.database.read("read failed sign-ins", read).await?
        };
        if !waits.is_empty() {
            return Ok(waits);
        }
        self.database
            .write("count a sign-in attempt", move |connection| {
                connection.transaction(|connection| attempt(connection, &keys, now))
            })
            .await
    }

    async fn succeeded(
        &self,
        forgotten: &[Digest],
        eased: &[Digest],
    ) -> Result<(), RepositoryError> {
        let forgotten = forgotten.iter().map(|key| (*key, true));
        let mut keys: Vec<_> = forgotten.chain(eased.iter().map(|key| (*key, false))).collect();
        keys.sort_unstable();
        self.database
            .write("clear failed sign-ins", move |connection| {
                connection.transaction(|connection| {
                    for (key, is_forgotten) in &keys {
                        let row = sign_in_failures::table.find(&key.0[..]);
                        if *is_forgotten {
                            diesel::delete(row).execute(connection)?;
                        } else {
                            let some = row.filter(sign_in_failures::failures.gt(0));
                            diesel::update(some)
                                .set(sign_in_failures::failures.eq(sign_in_failures::failures - 1))
                                .execute(connection)?;
                        }
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// The keys whose limits make an attempt wait.
fn waits(
    connection: &mut AnyConnection,
    keys: &[(Digest, SignInLimit)],
    now: DateTime<Utc>,
) -> Result<Vec<SignInWait>, Failure> {
    let hashes: Vec<&[u8]> = keys.iter().map(|(key, _)| &key.0[..]).collect();
    let rows: Vec<FailuresRow> = sign_in_failures::table
        .filter(sign_in_failures::key_hash.eq_any(hashes))
        .select(FailuresRow::as_select())
        .load(connection)?;
    let wait = |row: &FailuresRow| {
        let (key, limit) = keys.iter().find(|(key, _)| key.0[..] == row.key_hash[..])?;
        let left = limit.wait(failures(row.failures, row.last_at), now)?;
        Some(SignInWait { key: *key, left })
    };
    Ok(rows.iter().filter_map(wait).collect())
}

/// A row of `sign_in_failures`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sign_in_failures)]
struct FailuresRow {
    key_hash: Vec<u8>,
    failures: i32,
    last_at: UtcMicros,
}

fn failures(count: i32, last_at: UtcMicros) -> SignInFailures {
    SignInFailures { count: count.try_into().unwrap_or_default(), last_at: last_at.into() }
}

/// See [`SignInAttemptRepository::attempt`].
fn attempt(
    connection: &mut AnyConnection,
    keys: &[(Digest, SignInLimit)],
    now: DateTime<Utc>,
) -> Result<Vec<SignInWait>, Failure> {
    let mut failures = Vec::with_capacity(keys.len());
    for (key, limit) in keys {
        failures.push((key, limit, lock_failures(connection, key, now)?));
    }
    let wait = |(key, limit, failures): &(&Digest, &SignInLimit, SignInFailures)| {
        Some(SignInWait { key: **key, left: limit.wait(*failures, now)? })
    };
    let waits: Vec<_> = failures.iter().filter_map(wait).collect();
    if !waits.is_empty() {
        return Ok(waits);
    }
    for (key, limit, failures) in failures {
        let failures = limit.add(failures, now);
        diesel::update(sign_in_failures::table.find(&key.0[..]))
            .set((
                sign_in_failures::failures.eq(i32::try_from(failures.count).unwrap_or(i32::MAX)),
                sign_in_failures::last_at.eq(UtcMicros::from(failures.last_at)),
            ))
            .execute(connection)?;
    }
    Ok(waits)
}

/// The failures of a key, locked until the transaction ends.
fn lock_failures(
    connection: &mut AnyConnection,
    key: &Digest,
    now: DateTime<Utc>,
) -> QueryResult<SignInFailures> {
    let none = (
        sign_in_failures::key_hash.eq(&key.0[..]),
        sign_in_failures::failures.eq(0),
        sign_in_failures::last_at.eq(UtcMicros::from(now)),
    );
    let insert = diesel::insert_into(sign_in_failures::table).values(none);
    either!(connection => insert.on_conflict_do_nothing().execute(connection)?);
    let row = sign_in_failures::table.find(&key.0[..]);
    diesel::update(row)
        .set(sign_in_failures::failures.eq(sign_in_failures::failures))
        .execute(connection)?;
    let (count, last_at) =
        row.select((sign_in_failures::failures, sign_in_failures::last_at)).first(connection)?;
    Ok(failures(count, last_at))
}
