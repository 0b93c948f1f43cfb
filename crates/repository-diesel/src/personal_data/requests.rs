//! What people asked about their data.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{Connection, connection::SimpleConnection, dsl::max, prelude::*};
use rollcall_domain::{PrivacyRequest, RequestKind, TelegramId};
use rollcall_repository::{
    AddedRequest, NewPrivacyRequest, PrivacyRequestRepository, RepositoryError,
};

use super::person_hash::PersonHasher;
use crate::{
    base::{
        connection::AnyConnection, error::Failure, schema::privacy_requests, timestamp::UtcMicros,
    },
    users::store::DieselUserRepository,
};

/// How many bytes of a hash are shown: enough to recognise requests of one person.
const SHOWN_BYTES: usize = 6;
/// How many open requests are looked at when people are erased.
const MOST_OPEN: i64 = 10_000;

#[async_trait]
impl PrivacyRequestRepository for DieselUserRepository {
    async fn add_privacy_request(
        &self,
        new: NewPrivacyRequest,
    ) -> Result<AddedRequest, RepositoryError> {
        let database = self.database.clone();
        self.database
            .write("add a request about personal data", move |connection| {
                connection.transaction(|connection| {
                    lock(connection)?;
                    let hasher = PersonHasher::of(connection, &database)?;
                    add(connection, new, hasher.hash(new.person))
                })
            })
            .await
    }

    async fn finish_privacy_request(
        &self,
        id: i64,
        at: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        self.database
            .write("finish a request about personal data", move |connection| {
                let open = privacy_requests::table
                    .filter(privacy_requests::id.eq(id))
                    .filter(privacy_requests::done_at.is_null());
                let done = diesel::update(open)
                    .set(privacy_requests::done_at.eq(UtcMicros::from(at)))
                    .execute(connection)?;
                Ok(done > 0)
            })
            .await
    }

    async fn finish_erasures(
        &self,
        people: &[TelegramId],
        at: DateTime<Utc>,
    ) -> Result<usize, RepositoryError> {
        let people = people.to_vec();
        let database = self.database.clone();
        self.database
            .write("finish requests for erasure", move |connection| {
                // Usually there is none.
                if open_erasures(connection, 1)?.is_empty() {
                    return Ok(0);
                }
                connection.transaction(|connection| {
                    lock(connection)?;
                    let hasher = PersonHasher::of(connection, &database)?;
                    finish_erasures(connection, &people, at, &hasher)
                })
            })
            .await
    }

    async fn open_privacy_requests(
        &self,
        limit: u32,
    ) -> Result<Vec<PrivacyRequest>, RepositoryError> {
        self.database
            .read("list open requests about personal data", move |connection| {
                let rows: Vec<Row> = privacy_requests::table
                    .filter(privacy_requests::done_at.is_null())
                    .order((privacy_requests::due_at, privacy_requests::id))
                    .limit(limit.into())
                    .select(Row::as_select())
                    .load(connection)?;
                rows.into_iter().map(Row::into_request).collect()
            })
            .await
    }

    async fn done_privacy_requests(
        &self,
        limit: u32,
    ) -> Result<Vec<PrivacyRequest>, RepositoryError> {
        self.database
            .read("list finished requests about personal data", move |connection| {
                let rows: Vec<Row> = privacy_requests::table
                    .filter(privacy_requests::done_at.is_not_null())
                    .order((privacy_requests::done_at.desc(), privacy_requests::id.desc()))
                    .limit(limit.into())
                    .select(Row::as_select())
                    .load(connection)?;
                rows.into_iter().map(Row::into_request).collect()
            })
            .await
    }

    async fn forget_privacy_requests(
        &self,
        done_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError> {
        self.database
            .write("forget old requests about personal data", move |connection| {
                let old: Vec<i64> = privacy_requests::table
                    .filter(privacy_requests::done_at.lt(UtcMicros::from(done_before)))
                    .order(privacy_requests::done_at)
                    .limit(limit.into())
                    .select(privacy_requests::id)
                    .load(connection)?;
                let old = privacy_requests::table.filter(privacy_requests::id.eq_any(old));
                Ok(diesel::delete(old).execute(connection)?)
            })
            .await
    }
}

/// Lets one transaction at a time add requests, or finish those of erased people.
fn lock(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        // A statement that writes makes the transaction SQLite's only writer.
        AnyConnection::Sqlite(connection) => {
            connection.batch_execute("UPDATE privacy_requests SET id = id WHERE id = 0")
        }
        AnyConnection::Postgres(connection) => {
            connection.batch_execute("LOCK TABLE privacy_requests IN SHARE ROW EXCLUSIVE MODE")
        }
    }
}

fn add(
    connection: &mut AnyConnection,
    new: NewPrivacyRequest,
    hash: Vec<u8>,
) -> Result<AddedRequest, Failure> {
    let NewPrivacyRequest { kind, asked_at, due_at, not_after, .. } = new;
    if let Some(not_after) = not_after {
        let latest: Option<(i64, UtcMicros, Option<UtcMicros>)> = privacy_requests::table
            .filter(privacy_requests::person_hash.eq(&hash))
            .filter(privacy_requests::kind.eq(kind.name()))
            .order(privacy_requests::asked_at.desc())
            .select((privacy_requests::id, privacy_requests::asked_at, privacy_requests::done_at))
            .first(connection)
            .optional()?;
        if let Some((id, at, done_at)) = latest {
            if DateTime::from(at) > not_after {
                return Ok(AddedRequest::Recent(at.into()));
            }
            if done_at.is_none() {
                // Asked again, so the next one has to wait; what is due stays due.
                diesel::update(privacy_requests::table.find(id))
                    .set(privacy_requests::asked_at.eq(UtcMicros::from(asked_at)))
                    .execute(connection)?;
                return Ok(AddedRequest::Added(id));
            }
        }
    }
    let last: Option<i64> =
        privacy_requests::table.select(max(privacy_requests::id)).first(connection)?;
    let id = last.unwrap_or(0) + 1;
    diesel::insert_into(privacy_requests::table)
        .values((
            privacy_requests::id.eq(id),
            privacy_requests::person_hash.eq(hash),
            privacy_requests::kind.eq(kind.name()),
            privacy_requests::asked_at.eq(UtcMicros::from(asked_at)),
            privacy_requests::due_at.eq(UtcMicros::from(due_at)),
        ))
        .execute(connection)?;
    Ok(AddedRequest::Added(id))
}

/// The numbers and hashes of some open requests for erasure, those first that are due first.
fn open_erasures(connection: &mut AnyConnection, limit: i64) -> QueryResult<Vec<(i64, Vec<u8>)>> {
    let erasures = [RequestKind::Erasure, RequestKind::Telegram].map(RequestKind::name);
    privacy_requests::table
        .filter(privacy_requests::done_at.is_null())
        .filter(privacy_requests::kind.eq_any(erasures))
        .order((privacy_requests::due_at, privacy_requests::id))
        .limit(limit)
        .select((privacy_requests::id, privacy_requests::person_hash))
        .load(connection)
}

/// Open requests are few, so the hashes of all people are compared with theirs, and not the other way
/// round.
fn finish_erasures(
    connection: &mut AnyConnection,
    people: &[TelegramId],
    at: DateTime<Utc>,
    hasher: &PersonHasher,
) -> Result<usize, Failure> {
    let hashes: BTreeSet<Vec<u8>> = people.iter().map(|person| hasher.hash(*person)).collect();
    let open = open_erasures(connection, MOST_OPEN)?.into_iter();
    let ids: Vec<i64> = open.filter(|(_, hash)| hashes.contains(hash)).map(|(id, _)| id).collect();
    let done = privacy_requests::table.filter(privacy_requests::id.eq_any(ids));
    Ok(diesel::update(done)
        .set(privacy_requests::done_at.eq(UtcMicros::from(at)))
        .execute(connection)?)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = privacy_requests)]
struct Row {
    id: i64,
    person_hash: Vec<u8>,
    kind: String,
    asked_at: UtcMicros,
    due_at: UtcMicros,
    done_at: Option<UtcMicros>,
}

impl Row {
    fn into_request(self) -> Result<PrivacyRequest, Failure> {
        let kind = RequestKind::from_name(&self.kind).ok_or_else(|| Failure::Corrupt {
            table: "privacy_requests",
            column: "kind",
            key: self.id.to_string(),
            reason: "no kind of request has this name".to_owned(),
        })?;
        let shown = self.person_hash.iter().take(SHOWN_BYTES);
        Ok(PrivacyRequest {
            id: self.id,
            person: shown.map(|byte| format!("{byte:02x}")).collect(),
            kind,
            asked_at: self.asked_at.into(),
            due_at: self.due_at.into(),
            done_at: self.done_at.map(Into::into),
        })
    }
}
