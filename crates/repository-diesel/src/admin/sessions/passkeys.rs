use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::Admin;
use rollcall_repository::{
    AddedPasskey, Digest, NewAuditEntry, PasskeyRepository, RemovedPasskey, RepositoryError,
    StoredChallenge, StoredPasskey,
};

use crate::{
    admin::{
        audit::entry::add_entry,
        sessions::recovery_codes::{delete_codes, store_codes},
        sessions::session::end_other_sessions,
        store::{Change, DieselAdminRepository, corrupt},
    },
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{admin_sessions, passkeys, second_factors},
        timestamp::UtcMicros,
    },
};

#[async_trait]
impl PasskeyRepository for DieselAdminRepository {
    async fn passkeys(
        &self,
        admin: &Admin,
        limit: u32,
    ) -> Result<Vec<StoredPasskey>, RepositoryError> {
        let admin = admin.to_string();
        self.database
            .read("list an admin's passkeys", move |connection| {
                let rows: Vec<PasskeyRow> = passkeys::table
                    .filter(passkeys::admin.eq(&admin))
                    .order((passkeys::added_at, passkeys::id))
                    .limit(limit.into())
                    .select((
                        passkeys::id,
                        passkeys::name,
                        passkeys::host,
                        passkeys::credential,
                        passkeys::added_at,
                        passkeys::last_used_at,
                    ))
                    .load(connection)?;
                rows.into_iter().map(PasskeyRow::into_passkey).collect()
            })
            .await
    }

    async fn set_challenge(
        &self,
        session: Digest,
        challenge: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        let challenge = challenge.to_owned();
        self.database
            .write("set a passkey challenge", move |connection| {
                let changed = diesel::update(admin_sessions::table.find(&session.0[..]))
                    .set((
                        admin_sessions::challenge.eq(&challenge),
                        admin_sessions::challenged_at.eq(UtcMicros::from(at)),
                    ))
                    .execute(connection)?;
                Ok(changed > 0)
            })
            .await
    }

    async fn take_challenge(
        &self,
        session: Digest,
    ) -> Result<Option<StoredChallenge>, RepositoryError> {
        self.database
            .write("take a passkey challenge", move |connection| {
                let row = admin_sessions::table.find(&session.0[..]);
                let found: Option<(Option<String>, Option<UtcMicros>)> = row
                    .select((admin_sessions::challenge, admin_sessions::challenged_at))
                    .first(connection)
                    .optional()?;
                let Some((Some(text), Some(at))) = found else { return Ok(None) };
                // The caller that removes the challenge gets it. Another one may have been set
                // meanwhile.
                let same = row.filter(admin_sessions::challenge.eq(&text));
                let taken = diesel::update(same)
                    .set((
                        admin_sessions::challenge.eq(None::<String>),
                        admin_sessions::challenged_at.eq(None::<UtcMicros>),
                    ))
                    .execute(connection)?;
                Ok((taken > 0).then(|| StoredChallenge { text, set_at: at.into() }))
            })
            .await
    }

    async fn add_passkey(
        &self,
        session: Digest,
        admin: &Admin,
        passkey: &StoredPasskey,
        recovery_codes: &[Digest],
        entry: &NewAuditEntry,
    ) -> Result<AddedPasskey, RepositoryError> {
        let (admin, passkey) = (admin.to_string(), passkey.clone());
        let (recovery_codes, at) = (recovery_codes.to_vec(), UtcMicros::from(entry.at));
        self.change("add a passkey", entry, move |connection| {
            if insert_passkey(connection, &admin, &passkey)? == 0 {
                return Ok(Change::None(AddedPasskey::Known));
            }
            let own = admin_sessions::table
                .find(&session.0[..])
                .filter(admin_sessions::admin.eq(&admin))
                .filter(admin_sessions::owes_factor.eq(false));
            let confirmed =
                diesel::update(own).set(admin_sessions::confirmed_at.eq(at)).execute(connection)?;
            if confirmed == 0 {
                return Ok(Change::None(AddedPasskey::NoSession));
            }
            // After the session is locked: of two factors that it adds at once, one is the first.
            let added = if count_factors(connection, &admin)? == 1 {
                store_codes(connection, &admin, &recovery_codes)?;
                AddedPasskey::First
            } else {
                AddedPasskey::Further
            };
            end_other_sessions(connection, &admin, Some(session))?;
            Ok(Change::Made(added))
        })
        .await
    }

    async fn remove_passkey(
        &self,
        admin: &Admin,
        id: Digest,
        must_keep_one: bool,
        kept: Digest,
        entry: &NewAuditEntry,
    ) -> Result<RemovedPasskey, RepositoryError> {
        let (admin, removed) = (admin.to_string(), entry.clone());
        self.change("remove a passkey", entry, move |connection| {
            // Of two that are removed at once, the second has to see that the first is gone.
            lock_passkeys(connection, &admin)?;
            let Some(name) = passkey_name(connection, &admin, id)? else {
                return Ok(Change::None(RemovedPasskey::NoSuchPasskey));
            };
            diesel::delete(passkeys::table.find(&id.0[..])).execute(connection)?;
            if count_factors(connection, &admin)? == 0 {
                if must_keep_one {
                    return Ok(Change::None(RemovedPasskey::LastFactor));
                }
                delete_codes(connection, &admin)?;
            }
            end_other_sessions(connection, &admin, Some(kept))?;
            add_entry(connection, &NewAuditEntry { old: Some(name), ..removed.clone() })?;
            Ok(Change::Logged(RemovedPasskey::Done))
        })
        .await
    }
}

fn insert_passkey(
    connection: &mut AnyConnection,
    admin: &str,
    passkey: &StoredPasskey,
) -> QueryResult<usize> {
    let row = (
        passkeys::id.eq(&passkey.id.0[..]),
        passkeys::admin.eq(admin),
        passkeys::name.eq(&passkey.name),
        passkeys::host.eq(&passkey.host),
        passkeys::credential.eq(&passkey.credential),
        passkeys::added_at.eq(UtcMicros::from(passkey.added_at)),
        passkeys::last_used_at.eq(passkey.last_used_at.map(UtcMicros::from)),
    );
    let insert = diesel::insert_into(passkeys::table).values(row);
    match connection {
        AnyConnection::Sqlite(connection) => insert.on_conflict_do_nothing().execute(connection),
        AnyConnection::Postgres(connection) => insert.on_conflict_do_nothing().execute(connection),
    }
}

/// Stores that a passkey was used; returns whether its counter allows that, as 0 or 1.
pub(crate) fn use_passkey(
    connection: &mut AnyConnection,
    admin: &str,
    id: Digest,
    sign_count: u32,
    at: UtcMicros,
) -> QueryResult<usize> {
    let (own, sign_count) = (passkeys::admin.eq(admin), i64::from(sign_count));
    // An authenticator that does not count returns 0 each time.
    let unused = passkeys::sign_count
        .lt(sign_count)
        .or(passkeys::sign_count.eq(0).and(passkeys::sign_count.eq(sign_count)));
    diesel::update(passkeys::table.find(&id.0[..]).filter(own).filter(unused))
        .set((passkeys::sign_count.eq(sign_count), passkeys::last_used_at.eq(at)))
        .execute(connection)
}

pub(crate) fn passkey_name(
    connection: &mut AnyConnection,
    admin: &str,
    id: Digest,
) -> QueryResult<Option<String>> {
    let own = passkeys::table.find(&id.0[..]).filter(passkeys::admin.eq(admin));
    own.select(passkeys::name).first(connection).optional()
}

/// Locks the passkeys of an admin; returns how many there are.
pub(crate) fn lock_passkeys(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    diesel::update(passkeys::table.filter(passkeys::admin.eq(admin)))
        .set(passkeys::sign_count.eq(passkeys::sign_count))
        .execute(connection)
}

pub(crate) fn delete_passkeys(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    diesel::delete(passkeys::table.filter(passkeys::admin.eq(admin))).execute(connection)
}

pub(crate) fn count_passkeys(connection: &mut AnyConnection, admin: &str) -> QueryResult<i64> {
    passkeys::table.filter(passkeys::admin.eq(admin)).count().get_result(connection)
}

/// How many factors an admin has: passkeys, and perhaps an authenticator app.
fn count_factors(connection: &mut AnyConnection, admin: &str) -> QueryResult<i64> {
    let apps: i64 = second_factors::table.find(admin).count().get_result(connection)?;
    Ok(apps + count_passkeys(connection, admin)?)
}

/// A passkey, without its counter.
#[derive(Queryable)]
struct PasskeyRow {
    id: Vec<u8>,
    name: String,
    host: String,
    credential: String,
    added_at: UtcMicros,
    last_used_at: Option<UtcMicros>,
}

impl PasskeyRow {
    fn into_passkey(self) -> Result<StoredPasskey, Failure> {
        let corrupt = |bytes: Vec<u8>| {
            let reason = format!("{} bytes are not a SHA-256 hash", bytes.len());
            corrupt("passkeys", "id", &self.name, reason)
        };
        Ok(StoredPasskey {
            id: self.id.try_into().map(Digest).map_err(corrupt)?,
            name: self.name,
            host: self.host,
            credential: self.credential,
            added_at: self.added_at.into(),
            last_used_at: self.last_used_at.map(Into::into),
        })
    }
}
