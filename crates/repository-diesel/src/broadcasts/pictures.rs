//! Pictures that were uploaded for broadcasts; see [`PictureRepository`].

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel::{
    Connection,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Binary, Integer, Text, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{PictureFile, PictureId, PictureKind, PictureShape};
use rollcall_repository::{PictureRepository, RepositoryError, StoredPicture};

use super::sender::lock;
use crate::{
    base::{
        connection::{AnyConnection, either},
        error::Failure,
        schema::{broadcast_picture_uses, broadcast_pictures},
        statement::statement,
        timestamp::UtcMicros,
    },
    users::store::DieselUserRepository,
};

statement! {
    struct Put<'a> {
        id: &'a [u8] as Binary,
        kind: &'a str as Text,
        width: i32 as Integer,
        height: i32 as Integer,
        bytes: i32 as Integer,
        stored_at: UtcMicros as Timestamp,
        content: &'a [u8] as Binary,
    }
    Sqlite | Pg => "
        INSERT INTO broadcast_pictures (id, kind, width, height, bytes, stored_at, content)
        VALUES (:id, :kind, :width, :height, :bytes, :stored_at, :content)
        ON CONFLICT (id) DO UPDATE SET stored_at = excluded.stored_at",
}

statement! {
    /// The pictures that no broadcast needs any more.
    struct Unneeded -> Binary {
        unused_since: UtcMicros as Timestamp,
        ended_since: UtcMicros as Timestamp,
        most: i64 as BigInt,
    }
    Sqlite | Pg => "
        SELECT id FROM broadcast_pictures
        WHERE stored_at < :unused_since
          AND NOT EXISTS (
              SELECT 1 FROM broadcast_picture_uses
              JOIN broadcasts ON broadcasts.id = broadcast_picture_uses.broadcast
              WHERE broadcast_picture_uses.picture = broadcast_pictures.id
                AND (broadcasts.ended_at IS NULL OR broadcasts.ended_at >= :ended_since))
        ORDER BY id
        LIMIT :most",
}

/// A row of `broadcast_pictures`, without its time and content.
type Row = (String, i32, i32, i32, Option<String>);

#[async_trait]
impl PictureRepository for DieselUserRepository {
    async fn put_picture(
        &self,
        id: PictureId,
        picture: &PictureFile,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError> {
        let picture = picture.clone();
        self.database
            .write("store a picture", move |connection| {
                // A checked picture has no number that is too large.
                let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
                let PictureShape { kind, width, height } = picture.shape();
                let put = Put {
                    id: &id.0,
                    kind: kind.name(),
                    width: number(width),
                    height: number(height),
                    bytes: i32::try_from(picture.content().len()).unwrap_or(i32::MAX),
                    stored_at: at.into(),
                    content: picture.content(),
                };
                either!(connection => put.execute(connection)?);
                Ok(())
            })
            .await
    }

    async fn picture(&self, id: PictureId) -> Result<Option<StoredPicture>, RepositoryError> {
        self.database
            .read("find a picture", move |connection| {
                let row: Option<Row> = broadcast_pictures::table
                    .find(id.0.as_slice())
                    .select((
                        broadcast_pictures::kind,
                        broadcast_pictures::width,
                        broadcast_pictures::height,
                        broadcast_pictures::bytes,
                        broadcast_pictures::file_id,
                    ))
                    .first(connection)
                    .optional()?;
                row.map(|row| stored(id, row)).transpose()
            })
            .await
    }

    async fn picture_content(&self, id: PictureId) -> Result<Option<Vec<u8>>, RepositoryError> {
        self.database
            .read("read a picture", move |connection| {
                let content = broadcast_pictures::table
                    .find(id.0.as_slice())
                    .select(broadcast_pictures::content)
                    .first(connection)
                    .optional()?;
                Ok(content)
            })
            .await
    }

    async fn set_picture_file(&self, id: PictureId, file_id: &str) -> Result<(), RepositoryError> {
        let file_id = file_id.to_owned();
        self.database
            .write("store the file of a picture", move |connection| {
                diesel::update(broadcast_pictures::table.find(id.0.as_slice()))
                    .set(broadcast_pictures::file_id.eq(&file_id))
                    .execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn forget_picture_file(
        &self,
        id: PictureId,
        file_id: &str,
    ) -> Result<(), RepositoryError> {
        let file_id = file_id.to_owned();
        self.database
            .write("forget the file of a picture", move |connection| {
                diesel::update(broadcast_pictures::table.find(id.0.as_slice()))
                    .filter(broadcast_pictures::file_id.eq(&file_id))
                    .set(broadcast_pictures::file_id.eq(None::<String>))
                    .execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn delete_unneeded_pictures(
        &self,
        unused_since: DateTime<Utc>,
        ended_since: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, RepositoryError> {
        let unneeded = move |connection: &mut AnyConnection| {
            let unneeded = Unneeded {
                unused_since: unused_since.into(),
                ended_since: ended_since.into(),
                most: limit.into(),
            };
            let ids: Vec<Vec<u8>> = either!(connection => unneeded.load(connection)?);
            QueryResult::Ok(ids)
        };
        // Usually there is none, and then nobody has to wait for the lock.
        let found = self
            .database
            .read("look for unneeded pictures", move |connection| Ok(unneeded(connection)?))
            .await?;
        if found.is_empty() {
            return Ok(0);
        }
        self.database
            .write("delete unneeded pictures", move |connection| {
                let deleted = connection.transaction(|connection| {
                    // A broadcast that is created at the same time may have one of them.
                    lock(connection)?;
                    let ids = unneeded(connection)?;
                    let uses = broadcast_picture_uses::picture.eq_any(&ids);
                    diesel::delete(broadcast_picture_uses::table.filter(uses))
                        .execute(connection)?;
                    let pictures = broadcast_pictures::id.eq_any(&ids);
                    diesel::delete(broadcast_pictures::table.filter(pictures)).execute(connection)
                })?;
                Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
            })
            .await
    }
}

/// Whether all of these pictures are stored. The lock of the sender keeps them stored.
pub(super) fn are_stored(
    connection: &mut AnyConnection,
    pictures: &BTreeSet<PictureId>,
) -> QueryResult<bool> {
    for id in pictures {
        let found: Option<i32> = broadcast_pictures::table
            .find(id.0.as_slice())
            .select(broadcast_pictures::bytes)
            .first(connection)
            .optional()?;
        if found.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Notes which pictures a new broadcast has.
pub(super) fn add_uses(
    connection: &mut AnyConnection,
    pictures: &BTreeSet<PictureId>,
    broadcast: i64,
) -> QueryResult<()> {
    for id in pictures {
        diesel::insert_into(broadcast_picture_uses::table)
            .values((
                broadcast_picture_uses::picture.eq(id.0.as_slice()),
                broadcast_picture_uses::broadcast.eq(broadcast),
            ))
            .execute(connection)?;
    }
    Ok(())
}

fn stored(id: PictureId, row: Row) -> Result<StoredPicture, Failure> {
    let (kind, width, height, bytes, file_id) = row;
    let corrupt = |column: &'static str| Failure::Corrupt {
        table: "broadcast_pictures",
        column,
        key: id.to_string(),
        reason: "expected what a picture has".to_owned(),
    };
    let kind = PictureKind::from_name(&kind).ok_or_else(|| corrupt("kind"))?;
    let width = u32::try_from(width).map_err(|_| corrupt("width"))?;
    let height = u32::try_from(height).map_err(|_| corrupt("height"))?;
    let bytes = u64::try_from(bytes).map_err(|_| corrupt("bytes"))?;
    Ok(StoredPicture { id, shape: PictureShape { kind, width, height }, bytes, file_id })
}
