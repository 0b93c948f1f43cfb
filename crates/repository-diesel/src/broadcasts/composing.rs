//! Requests for the message of a broadcast, and the messages that show how far one is; see
//! [`ComposingRepository`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Nullable, Text, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::TelegramId;
use rollcall_repository::{
    BroadcastRequest, ComposingRepository, ProgressMessage, RepositoryError,
};

use crate::{
    base::{
        connection::either,
        error::Failure,
        schema::{broadcast_progress, broadcast_requests},
        statement::statement,
        timestamp::UtcMicros,
    },
    row::user::telegram_id,
    users::store::DieselUserRepository,
};

statement! {
    struct PutRequest<'a> {
        telegram_id: i64 as BigInt,
        filter: &'a str as Text,
        zone: &'a str as Text,
        at: UtcMicros as Timestamp,
    }
    Sqlite | Pg => "
        INSERT INTO broadcast_requests (telegram_id, filter, zone, at)
        VALUES (:telegram_id, :filter, :zone, :at)
        ON CONFLICT (telegram_id) DO UPDATE
        SET filter = excluded.filter, zone = excluded.zone, at = excluded.at, refused_album = NULL",
}

statement! {
    struct TakeRequest -> (Text, Text, Timestamp) {
        telegram_id: i64 as BigInt,
    }
    Sqlite | Pg => "
        DELETE FROM broadcast_requests WHERE telegram_id = :telegram_id
        RETURNING filter, zone, at",
}

statement! {
    struct PutProgress {
        telegram_id: i64 as BigInt,
        broadcast: i64 as BigInt,
        message_id: i64 as BigInt,
        next_at: UtcMicros as Timestamp,
        shown: Option<i64> as Nullable<BigInt>,
    }
    Sqlite | Pg => "
        INSERT INTO broadcast_progress (telegram_id, broadcast, message_id, next_at, shown)
        VALUES (:telegram_id, :broadcast, :message_id, :next_at, :shown)
        ON CONFLICT (telegram_id, broadcast) DO UPDATE
        SET message_id = excluded.message_id, next_at = excluded.next_at, shown = excluded.shown",
}

/// A row of `broadcast_requests`, without its owner and the album.
type RequestRow = (String, String, UtcMicros);
/// A row of `broadcast_progress`.
type ProgressRow = (i64, i64, i64, UtcMicros, Option<i64>);

#[async_trait]
impl ComposingRepository for DieselUserRepository {
    async fn put_broadcast_request(
        &self,
        owner: TelegramId,
        request: &BroadcastRequest,
    ) -> Result<(), RepositoryError> {
        let (filter, zone, at) = (request.filter.to_string(), request.zone, request.at);
        self.database
            .write("store a request for a broadcast", move |connection| {
                let put = PutRequest {
                    telegram_id: owner.get(),
                    filter: &filter,
                    zone: zone.name(),
                    at: at.into(),
                };
                either!(connection => put.execute(connection)?);
                Ok(())
            })
            .await
    }

    async fn broadcast_request(
        &self,
        owner: TelegramId,
    ) -> Result<Option<BroadcastRequest>, RepositoryError> {
        self.database
            .read("read a request for a broadcast", move |connection| {
                let row: Option<RequestRow> = broadcast_requests::table
                    .find(owner.get())
                    .select((
                        broadcast_requests::filter,
                        broadcast_requests::zone,
                        broadcast_requests::at,
                    ))
                    .first(connection)
                    .optional()?;
                row.map(|row| request(owner, row)).transpose()
            })
            .await
    }

    async fn take_broadcast_request(
        &self,
        owner: TelegramId,
    ) -> Result<Option<BroadcastRequest>, RepositoryError> {
        self.database
            .write("take a request for a broadcast", move |connection| {
                let take = TakeRequest { telegram_id: owner.get() };
                let taken: Option<RequestRow> = either!(connection => take.load(connection)?).pop();
                taken.map(|row| request(owner, row)).transpose()
            })
            .await
    }

    async fn note_refused_album(
        &self,
        owner: TelegramId,
        album: &str,
    ) -> Result<bool, RepositoryError> {
        let album = album.to_owned();
        self.database
            .write("note an album", move |connection| {
                let is_another = broadcast_requests::refused_album
                    .is_null()
                    .or(broadcast_requests::refused_album.assume_not_null().ne(&album));
                let noted = diesel::update(broadcast_requests::table.find(owner.get()))
                    .filter(is_another)
                    .set(broadcast_requests::refused_album.eq(&album))
                    .execute(connection)?;
                Ok(noted > 0)
            })
            .await
    }

    async fn put_progress_message(&self, message: ProgressMessage) -> Result<(), RepositoryError> {
        self.database
            .write("store a progress message", move |connection| {
                let put = PutProgress {
                    telegram_id: message.owner.get(),
                    broadcast: message.broadcast,
                    message_id: message.message_id,
                    next_at: message.next_at.into(),
                    shown: message.shown,
                };
                either!(connection => put.execute(connection)?);
                Ok(())
            })
            .await
    }

    async fn progress_messages(&self, limit: u32) -> Result<Vec<ProgressMessage>, RepositoryError> {
        self.database
            .read("read progress messages", move |connection| {
                let rows: Vec<ProgressRow> = broadcast_progress::table
                    .order((broadcast_progress::telegram_id, broadcast_progress::broadcast))
                    .limit(limit.into())
                    .load(connection)?;
                let message = |(owner, broadcast, message_id, next_at, shown): ProgressRow| {
                    let owner = telegram_id("broadcast_progress", owner)?;
                    let next_at = next_at.into();
                    Ok(ProgressMessage { owner, broadcast, message_id, next_at, shown })
                };
                rows.into_iter().map(message).collect()
            })
            .await
    }

    async fn postpone_progress_message(
        &self,
        seen: ProgressMessage,
        next_at: DateTime<Utc>,
        shown: Option<i64>,
    ) -> Result<bool, RepositoryError> {
        self.database
            .write("postpone a progress message", move |connection| {
                let row = broadcast_progress::table.find((seen.owner.get(), seen.broadcast));
                let postponed = diesel::update(row)
                    .filter(broadcast_progress::message_id.eq(seen.message_id))
                    .filter(broadcast_progress::next_at.eq(UtcMicros::from(seen.next_at)))
                    .set((
                        broadcast_progress::next_at.eq(UtcMicros::from(next_at)),
                        broadcast_progress::shown.eq(shown),
                    ))
                    .execute(connection)?;
                Ok(postponed > 0)
            })
            .await
    }

    async fn delete_progress_message(
        &self,
        message: ProgressMessage,
    ) -> Result<(), RepositoryError> {
        self.database
            .write("delete a progress message", move |connection| {
                let row = broadcast_progress::table.find((message.owner.get(), message.broadcast));
                diesel::delete(row)
                    .filter(broadcast_progress::message_id.eq(message.message_id))
                    .execute(connection)?;
                Ok(())
            })
            .await
    }
}

fn request(owner: TelegramId, row: RequestRow) -> Result<BroadcastRequest, Failure> {
    let (filter, zone, at) = row;
    let corrupt = |column: &'static str, reason: &dyn ToString| Failure::Corrupt {
        table: "broadcast_requests",
        column,
        key: owner.to_string(),
        reason: reason.to_string(),
    };
    Ok(BroadcastRequest {
        filter: filter.parse().map_err(|it| corrupt("filter", &it))?,
        zone: zone.parse().map_err(|it| corrupt("zone", &it))?,
        at: at.into(),
    })
}
