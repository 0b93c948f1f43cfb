use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::{Admin, TelegramId};
use rollcall_repository::{
    AdminSessionRepository, Digest, Expiry, NewAuditEntry, RepositoryError, StoredSession,
};

use super::{
    role::role,
    store::{Change, DieselAdminRepository, corrupt},
};
use crate::{
    connection::AnyConnection,
    error::Failure,
    schema::{admin_accounts, admin_links, admin_sessions, sign_in_failures},
    timestamp::UtcMicros,
};

#[async_trait]
impl AdminSessionRepository for DieselAdminRepository {
    async fn open_session(
        &self,
        token: Digest,
        admin: &Admin,
        password_hash: Option<&str>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let (admin, at) = (admin.clone(), UtcMicros::from(entry.at));
        let password_hash = password_hash.map(str::to_owned);
        self.change("begin an admin's session", entry, move |connection| {
            if let Admin::Account(name) = &admin {
                let same = admin_accounts::table
                    .find(name.as_str())
                    .filter(admin_accounts::is_disabled.eq(false))
                    .filter(
                        admin_accounts::password_hash.eq(password_hash.as_deref().unwrap_or("")),
                    );
                let noted = diesel::update(same)
                    .set(admin_accounts::last_signed_in_at.eq(at))
                    .execute(connection)?;
                if noted == 0 {
                    return Ok(Change::None(false));
                }
            }
            let row = (
                admin_sessions::token_hash.eq(&token.0[..]),
                admin_sessions::admin.eq(admin.to_string()),
                admin_sessions::signed_in_at.eq(at),
                admin_sessions::last_used_at.eq(at),
            );
            diesel::insert_into(admin_sessions::table).values(row).execute(connection)?;
            Ok(Change::Made(true))
        })
        .await
    }

    async fn session(&self, token: Digest) -> Result<Option<StoredSession>, RepositoryError> {
        self.database
            .read("find an admin's session", move |connection| {
                let row: Option<SessionRow> = admin_sessions::table
                    .left_join(
                        admin_accounts::table.on(admin_accounts::name.eq(admin_sessions::admin)),
                    )
                    .filter(admin_sessions::token_hash.eq(&token.0[..]))
                    .select((
                        admin_sessions::admin,
                        admin_sessions::signed_in_at,
                        admin_sessions::last_used_at,
                        admin_accounts::role.nullable(),
                        admin_accounts::is_disabled.nullable(),
                    ))
                    .first(connection)
                    .optional()?;
                row.map(SessionRow::into_session).transpose()
            })
            .await
    }

    async fn touch_session(&self, token: Digest, at: DateTime<Utc>) -> Result<(), RepositoryError> {
        self.database
            .write("note that an admin's session is used", move |connection| {
                let at = UtcMicros::from(at);
                let older = admin_sessions::table
                    .find(&token.0[..])
                    .filter(admin_sessions::last_used_at.lt(at));
                diesel::update(older)
                    .set(admin_sessions::last_used_at.eq(at))
                    .execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn close_session(
        &self,
        token: Digest,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        self.change("end an admin's session", entry, move |connection| {
            let session = admin_sessions::table.find(&token.0[..]);
            Ok(Change::of(diesel::delete(session).execute(connection)?))
        })
        .await
    }

    async fn close_sessions(
        &self,
        admin: &Admin,
        entry: &NewAuditEntry,
    ) -> Result<usize, RepositoryError> {
        let admin = admin.to_string();
        self.change("end an admin's sessions", entry, move |connection| {
            Ok(Change::Made(end_sessions(connection, &admin)?))
        })
        .await
    }

    async fn create_link(
        &self,
        token: Digest,
        user: TelegramId,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.database
            .write("store a link to sign in with", move |connection| {
                let row = (
                    admin_links::token_hash.eq(&token.0[..]),
                    admin_links::telegram_id.eq(user.get()),
                    admin_links::created_at.eq(UtcMicros::from(at)),
                );
                diesel::insert_into(admin_links::table).values(row).execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn take_link(
        &self,
        token: Digest,
    ) -> Result<Option<(TelegramId, DateTime<Utc>)>, RepositoryError> {
        self.database
            .write("take a link to sign in with", move |connection| {
                let link = admin_links::table.find(&token.0[..]);
                let row: Option<(i64, UtcMicros)> = link
                    .select((admin_links::telegram_id, admin_links::created_at))
                    .first(connection)
                    .optional()?;
                // Who deletes it has it; the row never changes in between.
                let taken = diesel::delete(link).execute(connection)?;
                let Some((id, at)) = row.filter(|_| taken > 0) else { return Ok(None) };
                let corrupt = |reason| corrupt("admin_links", "telegram_id", "(hidden)", reason);
                let id = TelegramId::try_from(id).map_err(|error| corrupt(error.to_string()))?;
                Ok(Some((id, at.into())))
            })
            .await
    }

    async fn forget(&self, expiry: Expiry, limit: u32) -> Result<usize, RepositoryError> {
        self.database
            .write("forget old sessions", move |connection| {
                let limit = i64::from(limit);
                Ok(forget_sessions(connection, expiry, limit)?
                    + forget_links(connection, expiry.linked_before.into(), limit)?
                    + forget_failures(connection, expiry.failed_before.into(), limit)?)
            })
            .await
    }
}

/// Ends every session of an admin.
pub(super) fn end_sessions(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    diesel::delete(admin_sessions::table.filter(admin_sessions::admin.eq(admin)))
        .execute(connection)
}

fn forget_sessions(
    connection: &mut AnyConnection,
    expiry: Expiry,
    limit: i64,
) -> QueryResult<usize> {
    let has_expired = || {
        admin_sessions::last_used_at
            .lt(UtcMicros::from(expiry.used_before))
            .or(admin_sessions::signed_in_at.lt(UtcMicros::from(expiry.signed_in_before)))
    };
    let old: Vec<Vec<u8>> = admin_sessions::table
        .select(admin_sessions::token_hash)
        .filter(has_expired())
        .limit(limit)
        .load(connection)?;
    // Looked at again: it may have been used meanwhile.
    let old = admin_sessions::table.filter(admin_sessions::token_hash.eq_any(old));
    diesel::delete(old.filter(has_expired())).execute(connection)
}

fn forget_links(
    connection: &mut AnyConnection,
    before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<Vec<u8>> = admin_links::table
        .select(admin_links::token_hash)
        .filter(admin_links::created_at.lt(before))
        .limit(limit)
        .load(connection)?;
    diesel::delete(admin_links::table.filter(admin_links::token_hash.eq_any(old)))
        .execute(connection)
}

fn forget_failures(
    connection: &mut AnyConnection,
    before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<Vec<u8>> = sign_in_failures::table
        .select(sign_in_failures::key_hash)
        .filter(sign_in_failures::last_at.lt(before))
        .limit(limit)
        .load(connection)?;
    // Looked at again: another one may have come meanwhile.
    let old = sign_in_failures::table.filter(sign_in_failures::key_hash.eq_any(old));
    diesel::delete(old.filter(sign_in_failures::last_at.lt(before))).execute(connection)
}

/// A session and the account that it belongs to, if it is an account's.
#[derive(Queryable)]
struct SessionRow {
    admin: String,
    signed_in_at: UtcMicros,
    last_used_at: UtcMicros,
    role: Option<String>,
    is_disabled: Option<bool>,
}

impl SessionRow {
    fn into_session(self) -> Result<StoredSession, Failure> {
        let admin: Admin = self
            .admin
            .parse()
            .map_err(|error| corrupt("admin_sessions", "admin", "(hidden)", format!("{error}")))?;
        let enabled = self.role.filter(|_| self.is_disabled == Some(false));
        Ok(StoredSession {
            account_role: enabled.map(|name| role(&name, &self.admin)).transpose()?,
            admin,
            signed_in_at: self.signed_in_at.into(),
            last_used_at: self.last_used_at.into(),
        })
    }
}
