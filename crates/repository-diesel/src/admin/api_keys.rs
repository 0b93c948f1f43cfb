//! The keys with which programs use the API.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rollcall_domain::{ApiKey, ApiScopes, LabelName, TelegramId};
use rollcall_repository::{ApiKeyRepository, Digest, NewAuditEntry, RepositoryError, StoredApiKey};

use crate::{
    admin::store::{Change, DieselAdminRepository, corrupt},
    base::{connection::either, error::Failure, schema::api_keys, timestamp::UtcMicros},
    bots::owner,
};

#[async_trait]
impl ApiKeyRepository for DieselAdminRepository {
    async fn create_api_key(
        &self,
        key: &StoredApiKey,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        let StoredApiKey { hash, key } = key.clone();
        self.change("store an API key", entry, move |connection| {
            let row = (
                api_keys::key_hash.eq(&hash.0[..]),
                api_keys::name.eq(key.name.as_str()),
                api_keys::scopes.eq(key.scopes.to_string()),
                api_keys::created_at.eq(UtcMicros::from(key.created_at)),
            );
            let insert = diesel::insert_into(api_keys::table).values(row);
            let rows = either!(connection => insert.on_conflict_do_nothing().execute(connection)?);
            Ok(Change::of(rows))
        })
        .await
    }

    async fn api_key(&self, hash: Digest) -> Result<Option<ApiKey>, RepositoryError> {
        self.database
            .read("find an API key", move |connection| {
                let row: Option<ApiKeyRow> =
                    api_keys::table.find(&hash.0[..]).first(connection).optional()?;
                Ok(row.map(ApiKeyRow::into_key).transpose()?.map(|stored| stored.key))
            })
            .await
    }

    async fn bot_of_api_keys(&self) -> Result<Option<TelegramId>, RepositoryError> {
        self.database.read("read which bot owns the database", owner).await
    }

    async fn api_keys(&self, limit: u32) -> Result<Vec<StoredApiKey>, RepositoryError> {
        self.database
            .read("list API keys", move |connection| {
                let rows: Vec<ApiKeyRow> = api_keys::table
                    .order((
                        api_keys::revoked_at.is_not_null(),
                        api_keys::created_at,
                        api_keys::key_hash,
                    ))
                    .limit(limit.into())
                    .load(connection)?;
                rows.into_iter().map(ApiKeyRow::into_key).collect()
            })
            .await
    }

    async fn revoke_api_key(
        &self,
        hash: Digest,
        at: DateTime<Utc>,
        entry: &NewAuditEntry,
    ) -> Result<bool, RepositoryError> {
        self.change("revoke an API key", entry, move |connection| {
            let valid = api_keys::table
                .filter(api_keys::key_hash.eq(&hash.0[..]))
                .filter(api_keys::revoked_at.is_null());
            let revoked = api_keys::revoked_at.eq(UtcMicros::from(at));
            Ok(Change::of(diesel::update(valid).set(revoked).execute(connection)?))
        })
        .await
    }

    async fn note_use_of_api_key(
        &self,
        hash: Digest,
        at: DateTime<Utc>,
        before: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        self.database
            .write("note the use of an API key", move |connection| {
                let last = api_keys::last_used_at;
                let old = last.is_null().or(last.lt(UtcMicros::from(before)).assume_not_null());
                let key = api_keys::table.filter(api_keys::key_hash.eq(&hash.0[..])).filter(old);
                let used = last.eq(UtcMicros::from(at));
                diesel::update(key).set(used).execute(connection)?;
                Ok(())
            })
            .await
    }
}

/// A row of `api_keys`, its columns in the table's order.
#[derive(Queryable)]
struct ApiKeyRow {
    hash: Vec<u8>,
    name: String,
    scopes: String,
    created_at: UtcMicros,
    last_used_at: Option<UtcMicros>,
    revoked_at: Option<UtcMicros>,
}

impl ApiKeyRow {
    fn into_key(self) -> Result<StoredApiKey, Failure> {
        let corrupt = |column, reason| corrupt("api_keys", column, "(hidden)", reason);
        let hash = self.hash.try_into();
        let name = self.name.parse::<LabelName>();
        let scopes = self.scopes.parse::<ApiScopes>();
        Ok(StoredApiKey {
            hash: hash
                .map(Digest)
                .map_err(|_| corrupt("key_hash", "it is not a SHA-256 hash".to_owned()))?,
            key: ApiKey {
                name: name.map_err(|error| corrupt("name", error.to_string()))?,
                scopes: scopes.map_err(|error| corrupt("scopes", error.to_string()))?,
                created_at: self.created_at.into(),
                last_used_at: self.last_used_at.map(Into::into),
                revoked_at: self.revoked_at.map(Into::into),
            },
        })
    }
}
