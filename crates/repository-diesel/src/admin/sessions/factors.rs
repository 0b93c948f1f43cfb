use async_trait::async_trait;
use diesel::{Connection, prelude::*};
use rollcall_domain::{Admin, AuditAction};
use rollcall_repository::{
    Digest, EnabledFactor, FactorProof, FactorSecret, NewAuditEntry, RepositoryError,
    SecondFactorRepository, StoredFactor,
};

use crate::{
    admin::{
        audit::entry::add_entry,
        sessions::passkeys::{
            count_passkeys, delete_passkeys, lock_passkeys, passkey_name, use_passkey,
        },
        sessions::recovery_codes::{count_codes, delete_codes, store_codes, use_code},
        sessions::session::{end_other_sessions, end_sessions, note_sign_in},
        store::{Change, DieselAdminRepository, corrupt},
    },
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{admin_sessions, second_factors},
        timestamp::UtcMicros,
    },
};

#[async_trait]
impl SecondFactorRepository for DieselAdminRepository {
    async fn second_factor(&self, admin: &Admin) -> Result<Option<StoredFactor>, RepositoryError> {
        let admin = admin.to_string();
        self.database
            .read("find a second factor", move |connection| {
                let row: Option<FactorRow> =
                    second_factors::table.find(&admin).first(connection).optional()?;
                row.map(FactorRow::into_factor).transpose()
            })
            .await
    }

    async fn recovery_codes(&self, admin: &Admin) -> Result<u32, RepositoryError> {
        let admin = admin.to_string();
        self.database
            .read("count recovery codes", move |connection| Ok(count_codes(connection, &admin)?))
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
    ) -> Result<EnabledFactor, RepositoryError> {
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
                return Ok(Change::None(EnabledFactor::Refused));
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
                return Ok(Change::None(EnabledFactor::Refused));
            }
            // After the session is locked: of two factors that it adds at once, one is the first.
            let enabled = if count_passkeys(connection, &admin)? == 0 {
                store_codes(connection, &admin, &recovery_codes)?;
                EnabledFactor::First
            } else {
                EnabledFactor::Further
            };
            end_other_sessions(connection, &admin, Some(session))?;
            Ok(Change::Made(enabled))
        })
        .await
    }

    async fn remove_second_factor(
        &self,
        admin: &Admin,
        kept: Digest,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let admin = admin.to_string();
        self.change("take an authenticator app away", entry, move |connection| {
            let deleted = diesel::delete(second_factors::table.find(&admin)).execute(connection)?;
            if deleted == 0 {
                return Ok(Change::None(false));
            }
            lock_passkeys(connection, &admin)?;
            if count_passkeys(connection, &admin)? == 0 {
                delete_codes(connection, &admin)?;
            }
            end_other_sessions(connection, &admin, Some(kept))?;
            Ok(Change::Made(true))
        })
        .await
    }

    async fn reset_second_factor(
        &self,
        admin: &Admin,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let admin = admin.to_string();
        self.change("take a second factor away", entry, move |connection| {
            if delete_factors(connection, &admin)? == 0 {
                return Ok(Change::None(false));
            }
            end_sessions(connection, &admin)?;
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
            // Locks the factors, so that of two replacements at once one is left, and not both.
            let apps = lock_app(connection, &admin)?;
            if apps + lock_passkeys(connection, &admin)? == 0 {
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
                // Accounts are locked first.
                note_sign_in(connection, &admin, proof_of.at.into())?;
            }
            if let Some(proof) = proof
                && !use_up(connection, &name, proof, proof_of.at.into())?
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
            // The audit log is locked last.
            if let Some((action, new)) = used(connection, &name, proof)? {
                add_entry(connection, &NewAuditEntry { action, new, ..proof_of.clone() })?;
            }
            Ok(Change::Made(true))
        })
        .await
    }
}

/// Uses a proof; returns whether it was valid.
fn use_up(
    connection: &mut AnyConnection,
    admin: &str,
    proof: FactorProof,
    at: UtcMicros,
) -> QueryResult<bool> {
    let used = match proof {
        FactorProof::Step(step) => {
            let earlier =
                second_factors::table.find(admin).filter(second_factors::last_step.lt(step));
            diesel::update(earlier).set(second_factors::last_step.eq(step)).execute(connection)?
        }
        FactorProof::RecoveryCode(code) => use_code(connection, admin, code)?,
        FactorProof::Passkey { id, sign_count } => {
            use_passkey(connection, admin, id, sign_count, at)?
        }
    };
    Ok(used > 0)
}

/// What the audit log has to say about a proof that was used, besides what was done with it.
fn used(
    connection: &mut AnyConnection,
    admin: &str,
    proof: Option<FactorProof>,
) -> QueryResult<Option<(AuditAction, Option<String>)>> {
    Ok(match proof {
        Some(FactorProof::RecoveryCode(_)) => {
            let left = count_codes(connection, admin)?;
            Some((AuditAction::UsedRecoveryCode, Some(format!("{left} left"))))
        }
        Some(FactorProof::Passkey { id, .. }) => {
            Some((AuditAction::UsedPasskey, passkey_name(connection, admin, id)?))
        }
        Some(FactorProof::Step(_)) | None => None,
    })
}

/// Deletes all factors and recovery codes of an admin; returns how many factors there were.
pub(crate) fn delete_factors(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    let apps = diesel::delete(second_factors::table.find(admin)).execute(connection)?;
    let passkeys = delete_passkeys(connection, admin)?;
    delete_codes(connection, admin)?;
    Ok(apps + passkeys)
}

/// Locks the authenticator app of an admin; returns whether there is one, as 0 or 1.
fn lock_app(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    diesel::update(second_factors::table.find(admin))
        .set(second_factors::last_step.eq(second_factors::last_step))
        .execute(connection)
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
    fn into_factor(self) -> Result<StoredFactor, Failure> {
        let corrupt = |reason| corrupt("second_factors", "secret", &self.admin, reason);
        Ok(StoredFactor {
            secret: read_secret(self.secret).map_err(corrupt)?,
            enabled_at: self.enabled_at.into(),
            last_step: self.last_step,
        })
    }
}

/// A secret as it is stored. What is wrong with it is explained without showing it.
fn read_secret(bytes: Vec<u8>) -> Result<FactorSecret, String> {
    let unusual = |bytes: Vec<u8>| format!("{} bytes are no secret", bytes.len());
    bytes.try_into().map(FactorSecret).map_err(unusual)
}
