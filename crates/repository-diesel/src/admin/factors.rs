use async_trait::async_trait;
use diesel::{Connection, prelude::*};
use rollcall_domain::{Admin, AuditAction};
use rollcall_repository::{
    Digest, FactorProof, FactorSecret, NewAuditEntry, RepositoryError, SecondFactorRepository,
    StoredFactor,
};

use super::{
    entry::add_entry,
    sessions::{end_other_sessions, note_sign_in},
    store::{Change, DieselAdminRepository, corrupt},
};
use crate::{
    connection::AnyConnection,
    error::Failure,
    schema::{admin_sessions, recovery_codes, second_factors},
    timestamp::UtcMicros,
};

#[async_trait]
impl SecondFactorRepository for DieselAdminRepository {
    async fn second_factor(&self, admin: &Admin) -> Result<Option<StoredFactor>, RepositoryError> {
        let admin = admin.to_string();
        self.database
            .read("find a second factor", move |connection| {
                let row: Option<FactorRow> =
                    second_factors::table.find(&admin).first(connection).optional()?;
                let Some(row) = row else { return Ok(None) };
                let codes = count_codes(connection, &admin)?;
                row.into_factor(codes).map(Some)
            })
            .await
    }

    async fn offer_secret(
        &self,
        session: Digest,
        secret: &FactorSecret,
    ) -> Result<Option<FactorSecret>, RepositoryError> {
        let secret = secret.clone();
        self.database
            .write("offer a second factor", move |connection| {
                connection.transaction(|connection| {
                    let row = admin_sessions::table.find(&session.0[..]);
                    diesel::update(row.filter(admin_sessions::offered_secret.is_null()))
                        .set(admin_sessions::offered_secret.eq(&secret.0[..]))
                        .execute(connection)?;
                    let offered: Option<Option<Vec<u8>>> =
                        row.select(admin_sessions::offered_secret).first(connection).optional()?;
                    let corrupt =
                        |reason| corrupt("admin_sessions", "offered_secret", "(hidden)", reason);
                    offered.flatten().map(|bytes| read_secret(bytes).map_err(corrupt)).transpose()
                })
            })
            .await
    }

    async fn enable_second_factor(
        &self,
        session: Digest,
        admin: &Admin,
        secret: &FactorSecret,
        step: i64,
        recovery_codes: &[Digest],
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let (admin, secret, at) = (admin.to_string(), secret.clone(), UtcMicros::from(entry.at));
        let recovery_codes = recovery_codes.to_vec();
        self.change("switch a second factor on", entry, move |connection| {
            let row = (
                second_factors::admin.eq(&admin),
                second_factors::secret.eq(&secret.0[..]),
                second_factors::enabled_at.eq(at),
                second_factors::last_step.eq(step),
            );
            let insert = diesel::insert_into(second_factors::table).values(row);
            let inserted = match connection {
                AnyConnection::Sqlite(connection) => {
                    insert.on_conflict_do_nothing().execute(connection)?
                }
                AnyConnection::Postgres(connection) => {
                    insert.on_conflict_do_nothing().execute(connection)?
                }
            };
            if inserted == 0 {
                return Ok(Change::None(false));
            }
            let offered = admin_sessions::table
                .find(&session.0[..])
                .filter(admin_sessions::admin.eq(&admin))
                .filter(admin_sessions::owes_factor.eq(false))
                .filter(admin_sessions::offered_secret.eq(&secret.0[..]));
            let confirmed = diesel::update(offered)
                .set((
                    admin_sessions::offered_secret.eq(None::<Vec<u8>>),
                    admin_sessions::confirmed_at.eq(at),
                ))
                .execute(connection)?;
            if confirmed == 0 {
                return Ok(Change::None(false));
            }
            store_codes(connection, &admin, &recovery_codes)?;
            end_other_sessions(connection, &admin, Some(session))?;
            Ok(Change::Made(true))
        })
        .await
    }

    async fn remove_second_factor(
        &self,
        admin: &Admin,
        kept: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let admin = admin.to_string();
        self.change("take a second factor away", entry, move |connection| {
            if delete_factor(connection, &admin)? == 0 {
                return Ok(Change::None(false));
            }
            end_other_sessions(connection, &admin, kept)?;
            Ok(Change::Made(true))
        })
        .await
    }

    async fn replace_recovery_codes(
        &self,
        admin: &Admin,
        recovery_codes: &[Digest],
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let (admin, recovery_codes) = (admin.to_string(), recovery_codes.to_vec());
        self.change("replace recovery codes", entry, move |connection| {
            // Locks the factor, so that of two replacements at once one is left, and not both.
            let has_factor = diesel::update(second_factors::table.find(&admin))
                .set(second_factors::last_step.eq(second_factors::last_step))
                .execute(connection)?;
            if has_factor == 0 {
                return Ok(Change::None(false));
            }
            delete_codes(connection, &admin)?;
            store_codes(connection, &admin, &recovery_codes)?;
            Ok(Change::Made(true))
        })
        .await
    }

    async fn confirm_session(
        &self,
        session: Digest,
        admin: &Admin,
        proof: Option<FactorProof>,
        new_token: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let (admin, proof_of) = (admin.clone(), entry.clone());
        self.change("confirm an admin's session", entry, move |connection| {
            let name = admin.to_string();
            if new_token.is_some() {
                // Accounts come first in the order of locks.
                note_sign_in(connection, &admin, proof_of.at.into())?;
            }
            if let Some(proof) = proof
                && !use_up(connection, &name, proof)?
            {
                return Ok(Change::None(false));
            }
            let row = admin_sessions::table
                .find(&session.0[..])
                .filter(admin_sessions::admin.eq(&name))
                .filter(admin_sessions::owes_factor.eq(new_token.is_some()));
            let confirmed = diesel::update(row)
                .set((
                    admin_sessions::token_hash.eq(new_token.unwrap_or(session).0.to_vec()),
                    admin_sessions::owes_factor.eq(false),
                    admin_sessions::confirmed_at.eq(UtcMicros::from(proof_of.at)),
                ))
                .execute(connection)?;
            if confirmed == 0 {
                return Ok(Change::None(false));
            }
            // The audit log comes last in the order of locks.
            if let Some(FactorProof::RecoveryCode(_)) = proof {
                let left = count_codes(connection, &name)?;
                let used = NewAuditEntry {
                    action: AuditAction::UsedRecoveryCode,
                    new: Some(format!("{left} left")),
                    ..proof_of.clone()
                };
                add_entry(connection, &used)?;
            }
            Ok(Change::Made(true))
        })
        .await
    }
}

/// Uses a proof up; answers whether it was one.
fn use_up(connection: &mut AnyConnection, admin: &str, proof: FactorProof) -> QueryResult<bool> {
    let used = match proof {
        FactorProof::Step(step) => {
            let earlier =
                second_factors::table.find(admin).filter(second_factors::last_step.lt(step));
            diesel::update(earlier).set(second_factors::last_step.eq(step)).execute(connection)?
        }
        FactorProof::RecoveryCode(code) => {
            let code = recovery_codes::table.find((admin, &code.0[..]));
            diesel::delete(code).execute(connection)?
        }
    };
    Ok(used > 0)
}

/// Deletes the second factor of an admin, with its recovery codes; answers how many there were.
pub(super) fn delete_factor(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    let deleted = diesel::delete(second_factors::table.find(admin)).execute(connection)?;
    delete_codes(connection, admin)?;
    Ok(deleted)
}

fn delete_codes(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::admin.eq(admin)))
        .execute(connection)
}

fn store_codes(connection: &mut AnyConnection, admin: &str, codes: &[Digest]) -> QueryResult<()> {
    for code in codes {
        diesel::insert_into(recovery_codes::table)
            .values((recovery_codes::admin.eq(admin), recovery_codes::code_hash.eq(&code.0[..])))
            .execute(connection)?;
    }
    Ok(())
}

/// How many recovery codes an admin has not used.
fn count_codes(connection: &mut AnyConnection, admin: &str) -> QueryResult<u32> {
    let codes = recovery_codes::table.filter(recovery_codes::admin.eq(admin));
    let codes: i64 = codes.count().get_result(connection)?;
    Ok(codes.try_into().unwrap_or_default())
}

/// A row of `second_factors`, its columns in the table's order.
#[derive(Queryable)]
struct FactorRow {
    admin: String,
    secret: Vec<u8>,
    enabled_at: UtcMicros,
    last_step: i64,
}

impl FactorRow {
    fn into_factor(self, recovery_codes: u32) -> Result<StoredFactor, Failure> {
        let corrupt = |reason| corrupt("second_factors", "secret", &self.admin, reason);
        Ok(StoredFactor {
            secret: read_secret(self.secret).map_err(corrupt)?,
            enabled_at: self.enabled_at.into(),
            last_step: self.last_step,
            recovery_codes,
        })
    }
}

/// A secret as it is stored. What is wrong with it is explained without showing it.
fn read_secret(bytes: Vec<u8>) -> Result<FactorSecret, String> {
    let unusual = |bytes: Vec<u8>| format!("{} bytes are no secret", bytes.len());
    bytes.try_into().map(FactorSecret).map_err(unusual)
}
