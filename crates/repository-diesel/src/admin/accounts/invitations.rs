use async_trait::async_trait;
use diesel::prelude::*;
use rollcall_domain::Admin;
use rollcall_repository::{
    Accepted, Digest, InvitationRepository, NewAuditEntry, RepositoryError, StoredAccount,
    StoredInvitation,
};

use crate::{
    admin::{
        accounts::insert::insert_account,
        accounts::role::read_role,
        store::{Change, DieselAdminRepository, corrupt},
    },
    base::{
        connection::AnyConnection, error::Failure, schema::admin_invitations, timestamp::UtcMicros,
    },
};

#[async_trait]
impl InvitationRepository for DieselAdminRepository {
    async fn create_invitation(
        &self,
        invitation: &StoredInvitation,
        entry: &NewAuditEntry,
    ) -> Result<(), RepositoryError> {
        let invitation = invitation.clone();
        self.change("store an invitation", entry, move |connection| {
            let row = (
                admin_invitations::token_hash.eq(&invitation.token.0[..]),
                admin_invitations::role.eq(invitation.role.name()),
                admin_invitations::invited_by.eq(invitation.invited_by.to_string()),
                admin_invitations::created_at.eq(UtcMicros::from(invitation.created_at)),
                admin_invitations::expires_at.eq(UtcMicros::from(invitation.expires_at)),
            );
            diesel::insert_into(admin_invitations::table).values(row).execute(connection)?;
            Ok(Change::Made(()))
        })
        .await
    }

    async fn invitation(&self, token: Digest) -> Result<Option<StoredInvitation>, RepositoryError> {
        self.database
            .read("find an invitation", move |connection| {
                let row: Option<InvitationRow> =
                    admin_invitations::table.find(&token.0[..]).first(connection).optional()?;
                row.map(InvitationRow::into_invitation).transpose()
            })
            .await
    }

    async fn invitations(&self, limit: u32) -> Result<Vec<StoredInvitation>, RepositoryError> {
        self.database
            .read("list invitations", move |connection| {
                let rows: Vec<InvitationRow> = admin_invitations::table
                    .order((admin_invitations::created_at.desc(), admin_invitations::token_hash))
                    .limit(limit.into())
                    .load(connection)?;
                rows.into_iter().map(InvitationRow::into_invitation).collect()
            })
            .await
    }

    async fn withdraw_invitation(
        &self,
        token: Digest,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        self.change("withdraw an invitation", entry, move |connection| {
            let invitation = admin_invitations::table.find(&token.0[..]);
            Ok(Change::of(diesel::delete(invitation).execute(connection)?))
        })
        .await
    }

    async fn accept_invitation(
        &self,
        token: Digest,
        account: &StoredAccount,
        entry: &NewAuditEntry,
    ) -> Result<Accepted, RepositoryError> {
        let account = account.clone();
        self.change("accept an invitation", entry, move |connection| {
            if insert_account(connection, &account)? == 0 {
                return Ok(Change::None(Accepted::NameIsTaken));
            }
            let invitation = admin_invitations::table
                .find(&token.0[..])
                .filter(admin_invitations::role.eq(account.account.role.name()));
            Ok(match diesel::delete(invitation).execute(connection)? {
                0 => Change::None(Accepted::NoSuchInvitation),
                _ => Change::Made(Accepted::Done),
            })
        })
        .await
    }
}

/// Deletes the invitations that an admin created.
pub(crate) fn delete_invitations(
    connection: &mut AnyConnection,
    admin: &str,
) -> QueryResult<usize> {
    diesel::delete(admin_invitations::table.filter(admin_invitations::invited_by.eq(admin)))
        .execute(connection)
}

/// A row of `admin_invitations`, its columns in the table's order.
#[derive(Queryable)]
struct InvitationRow {
    token: Vec<u8>,
    role: String,
    invited_by: String,
    created_at: UtcMicros,
    expires_at: UtcMicros,
}

impl InvitationRow {
    fn into_invitation(self) -> Result<StoredInvitation, Failure> {
        let corrupt = |column, reason| corrupt("admin_invitations", column, "(hidden)", reason);
        let invited_by = self.invited_by.parse::<Admin>();
        let token = self.token.try_into();
        Ok(StoredInvitation {
            token: token
                .map(Digest)
                .map_err(|_| corrupt("token_hash", "it is not a SHA-256 hash".to_owned()))?,
            role: read_role(&self.role).map_err(|reason| corrupt("role", reason))?,
            invited_by: invited_by.map_err(|error| corrupt("invited_by", error.to_string()))?,
            created_at: self.created_at.into(),
            expires_at: self.expires_at.into(),
        })
    }
}
