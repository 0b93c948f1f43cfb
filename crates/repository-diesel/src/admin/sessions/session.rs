use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{Connection, dsl::exists, prelude::*};
use rollcall_domain::{Admin, AuditAction, TelegramId};
use rollcall_repository::{
    AdminSessionRepository, Digest, Expiry, ListedSession, NewAuditEntry, NewSession, Opened,
    RepositoryError, StoredLink, StoredSession,
};

use crate::{
    admin::{
        accounts::role::role,
        audit::entry::add_entry,
        sign_in::known_devices::forget_devices,
        store::{Change, DieselAdminRepository, corrupt},
    },
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::{
            admin_accounts, admin_invitations, admin_links, admin_sessions, mini_app_sign_ins,
            passkeys, second_factors, sign_in_failures,
        },
        timestamp::UtcMicros,
    },
};

#[async_trait]
impl AdminSessionRepository for DieselAdminRepository {
    async fn open_session(
        &self,
        session: &NewSession,
        entry: &NewAuditEntry,
    ) -> Result<Opened, RepositoryError> {
        let (session, entry) = (session.clone(), entry.clone());
        self.database
            .write("begin an admin's session", move |connection| {
                connection.transaction(|connection| open_session(connection, &session, &entry))
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
                        has_factor(),
                        admin_sessions::owes_factor,
                        admin_sessions::confirmed_at,
                    ))
                    .first(connection)
                    .optional()?;
                row.map(SessionRow::into_session).transpose()
            })
            .await
    }

    async fn touch_session(&self, token: Digest, at: DateTime<Utc>) -> Result<(), RepositoryError> {
        self.database
            .write("store when a session was used", move |connection| {
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

    async fn sessions(
        &self,
        admin: &Admin,
        limit: u32,
    ) -> Result<Vec<ListedSession>, RepositoryError> {
        let admin = admin.to_string();
        self.database
            .read("list an admin's sessions", move |connection| {
                let rows: Vec<ListedRow> = admin_sessions::table
                    .filter(admin_sessions::admin.eq(&admin))
                    .order((admin_sessions::last_used_at.desc(), admin_sessions::token_hash))
                    .limit(limit.into())
                    .select((
                        admin_sessions::token_hash,
                        admin_sessions::device,
                        admin_sessions::address,
                        admin_sessions::signed_in_at,
                        admin_sessions::last_used_at,
                        admin_sessions::owes_factor,
                    ))
                    .load(connection)?;
                rows.into_iter().map(ListedRow::into_session).collect()
            })
            .await
    }

    async fn close_session(
        &self,
        token: Digest,
        admin: &Admin,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let admin = admin.to_string();
        self.change("end an admin's session", entry, move |connection| {
            let session =
                admin_sessions::table.find(&token.0[..]).filter(admin_sessions::admin.eq(&admin));
            Ok(Change::of(diesel::delete(session).execute(connection)?))
        })
        .await
    }

    async fn close_sessions(
        &self,
        admin: &Admin,
        kept: Option<Digest>,
        entry: &NewAuditEntry,
    ) -> Result<usize, RepositoryError> {
        let admin = admin.to_string();
        self.change("end an admin's sessions", entry, move |connection| {
            Ok(Change::Made(end_other_sessions(connection, &admin, kept)?))
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
            .write("store a sign-in link", move |connection| {
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

    async fn take_link(&self, token: Digest) -> Result<Option<StoredLink>, RepositoryError> {
        self.database
            .write("take a sign-in link", move |connection| {
                let link = admin_links::table.find(&token.0[..]);
                let row: Option<(i64, UtcMicros)> = link
                    .select((admin_links::telegram_id, admin_links::created_at))
                    .first(connection)
                    .optional()?;
                // The caller that deletes the row gets the link. The row never changes in between.
                let taken = diesel::delete(link).execute(connection)?;
                let Some((id, at)) = row.filter(|_| taken > 0) else { return Ok(None) };
                let corrupt = |reason| corrupt("admin_links", "telegram_id", "(hidden)", reason);
                let user = TelegramId::try_from(id).map_err(|error| corrupt(error.to_string()))?;
                Ok(Some(StoredLink { user, created_at: at.into() }))
            })
            .await
    }

    async fn use_mini_app_data(
        &self,
        data: Digest,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        self.database
            .write("remember Mini App data", move |connection| {
                let row = (
                    mini_app_sign_ins::data_hash.eq(&data.0[..]),
                    mini_app_sign_ins::signed_in_at.eq(UtcMicros::from(at)),
                );
                let insert = diesel::insert_into(mini_app_sign_ins::table).values(row);
                let stored =
                    either!(connection => insert.on_conflict_do_nothing().execute(connection)?);
                Ok(stored > 0)
            })
            .await
    }

    async fn forget(&self, expiry: Expiry, limit: u32) -> Result<usize, RepositoryError> {
        self.database
            .write("purge expired sessions", move |connection| {
                let limit = i64::from(limit);
                Ok(forget_sessions(connection, expiry, limit)?
                    + forget_invitations(connection, expiry.expired_before.into(), limit)?
                    + forget_links(connection, expiry.linked_before.into(), limit)?
                    + forget_mini_app_data(connection, expiry.opened_before.into(), limit)?
                    + forget_failures(connection, expiry.failed_before.into(), limit)?)
            })
            .await
    }
}

/// See [`AdminSessionRepository::open_session`].
fn open_session(
    connection: &mut AnyConnection,
    session: &NewSession,
    entry: &NewAuditEntry,
) -> Result<Opened, Failure> {
    if let Admin::Account(name) = &session.admin {
        let hash = session.password_hash.as_deref().unwrap_or("");
        let same = admin_accounts::table
            .find(name.as_str())
            .filter(admin_accounts::is_disabled.eq(false))
            .filter(admin_accounts::password_hash.eq(hash));
        // Locks the account, so that it is neither disabled nor changed before the session is
        // stored.
        let known =
            diesel::update(same).set(admin_accounts::is_disabled.eq(false)).execute(connection)?;
        if known == 0 {
            return Ok(Opened::Refused);
        }
    }
    let (admin, at) = (session.admin.to_string(), UtcMicros::from(entry.at));
    let row = (
        admin_sessions::token_hash.eq(&session.token.0[..]),
        admin_sessions::admin.eq(&admin),
        admin_sessions::signed_in_at.eq(at),
        admin_sessions::last_used_at.eq(at),
        admin_sessions::confirmed_at.eq(at),
        admin_sessions::device.eq(&session.device),
        admin_sessions::address.eq(&session.address),
    );
    diesel::insert_into(admin_sessions::table).values(row).execute(connection)?;
    let owing = admin_sessions::table.find(&session.token.0[..]).filter(has_factor());
    let owes = diesel::update(owing)
        .set((
            admin_sessions::owes_factor.eq(true),
            admin_sessions::confirmed_at.eq(None::<UtcMicros>),
        ))
        .execute(connection)?;
    if owes > 0 {
        let action = AuditAction::PassedFirstFactor;
        add_entry(connection, &NewAuditEntry { action, ..entry.clone() })?;
        return Ok(Opened::OwesFactor);
    }
    note_sign_in(connection, &session.admin, at)?;
    add_entry(connection, entry)?;
    Ok(Opened::Whole)
}

/// Whether a session's admin has a second factor of any kind.
#[diesel::dsl::auto_type(no_type_alias)]
fn has_factor() -> _ {
    let app = second_factors::table.filter(second_factors::admin.eq(admin_sessions::admin));
    let passkey = passkeys::table.filter(passkeys::admin.eq(admin_sessions::admin));
    exists(app).or(exists(passkey))
}

/// Stores when an account last signed in.
pub(crate) fn note_sign_in(
    connection: &mut AnyConnection,
    admin: &Admin,
    at: UtcMicros,
) -> QueryResult<()> {
    if let Admin::Account(name) = admin {
        diesel::update(admin_accounts::table.find(name.as_str()))
            .set(admin_accounts::last_signed_in_at.eq(at))
            .execute(connection)?;
    }
    Ok(())
}

/// Ends the sessions of an admin except `kept`, and starts the next generation of their devices;
/// returns how many sessions there were.
pub(crate) fn end_other_sessions(
    connection: &mut AnyConnection,
    admin: &str,
    kept: Option<Digest>,
) -> QueryResult<usize> {
    let Some(kept) = kept else { return end_sessions(connection, admin) };
    let others = admin_sessions::table
        .filter(admin_sessions::admin.eq(admin))
        .filter(admin_sessions::token_hash.ne(&kept.0[..]));
    let ended = diesel::delete(others).execute(connection)?;
    forget_devices(connection, admin)?;
    Ok(ended)
}

/// Ends all sessions of an admin, and starts the next generation of their devices; returns how many
/// sessions there were.
pub(crate) fn end_sessions(connection: &mut AnyConnection, admin: &str) -> QueryResult<usize> {
    let all = admin_sessions::table.filter(admin_sessions::admin.eq(admin));
    let ended = diesel::delete(all).execute(connection)?;
    forget_devices(connection, admin)?;
    Ok(ended)
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
    // Checked again, because it may have been used meanwhile.
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

fn forget_mini_app_data(
    connection: &mut AnyConnection,
    before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<Vec<u8>> = mini_app_sign_ins::table
        .select(mini_app_sign_ins::data_hash)
        .filter(mini_app_sign_ins::signed_in_at.lt(before))
        .limit(limit)
        .load(connection)?;
    diesel::delete(mini_app_sign_ins::table.filter(mini_app_sign_ins::data_hash.eq_any(old)))
        .execute(connection)
}

fn forget_invitations(
    connection: &mut AnyConnection,
    before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<Vec<u8>> = admin_invitations::table
        .select(admin_invitations::token_hash)
        .filter(admin_invitations::expires_at.lt(before))
        .limit(limit)
        .load(connection)?;
    diesel::delete(admin_invitations::table.filter(admin_invitations::token_hash.eq_any(old)))
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
    // Checked again, because another sign-in may have failed meanwhile.
    let old = sign_in_failures::table.filter(sign_in_failures::key_hash.eq_any(old));
    diesel::delete(old.filter(sign_in_failures::last_at.lt(before))).execute(connection)
}

/// A session with the account that it belongs to, if it is an account's, and whether its admin has a
/// second factor.
#[derive(Queryable)]
struct SessionRow {
    admin: String,
    signed_in_at: UtcMicros,
    last_used_at: UtcMicros,
    role: Option<String>,
    is_disabled: Option<bool>,
    has_factor: bool,
    owes_factor: bool,
    confirmed_at: Option<UtcMicros>,
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
            has_factor: self.has_factor,
            owes_factor: self.owes_factor,
            confirmed_at: self.confirmed_at.map(Into::into),
        })
    }
}

/// A session in its admin's list.
#[derive(Queryable)]
struct ListedRow {
    token: Vec<u8>,
    device: String,
    address: String,
    signed_in_at: UtcMicros,
    last_used_at: UtcMicros,
    owes_factor: bool,
}

impl ListedRow {
    fn into_session(self) -> Result<ListedSession, Failure> {
        let corrupt = |_| {
            let reason = "it is not a SHA-256 hash".to_owned();
            corrupt("admin_sessions", "token_hash", "(hidden)", reason)
        };
        Ok(ListedSession {
            token: self.token.try_into().map(Digest).map_err(corrupt)?,
            device: self.device,
            address: self.address,
            signed_in_at: self.signed_in_at.into(),
            last_used_at: self.last_used_at.into(),
            owes_factor: self.owes_factor,
        })
    }
}
