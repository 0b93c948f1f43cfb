//! The free texts of a PostgreSQL database.

use diesel::{
    Connection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
};
use rollcall_domain::AuditAction;
use rollcall_repository::RepositoryError;

use crate::{
    admin::audit::entry::{NEW, OLD, open_values},
    base::{
        connection::{AnyConnection, PgConnection},
        database::Database,
        database_key::DatabaseKeys,
        error::Failure,
        free_text::{Cell, FreeText, pattern},
    },
};

/// Encrypts the free texts of a PostgreSQL database with the first key, or decrypts them, in small steps and
/// beside running bots. A text that is not reached yet stays readable.
#[derive(Clone, Debug)]
pub struct TextRekey {
    database: Database,
    wanted: Wanted,
    place: Place,
}

/// What the texts are to be.
#[derive(Clone, Debug)]
struct Wanted {
    old: FreeText,
    new: FreeText,
    /// Texts whose likeness to this pattern is as said are still to be changed.
    pattern: String,
    is_like: bool,
}

/// Where the next step begins: in which table, and after which row.
#[derive(Clone, Copy, Debug)]
enum Place {
    Notes(i64),
    Quarantine(i64),
    AuditLog(i64),
    End,
}

impl TextRekey {
    /// The texts are to be encrypted with the first key, or not at all if `decrypts`. `database` has to be
    /// opened with the keys.
    pub fn new(database: Database, keys: &DatabaseKeys, decrypts: bool) -> Self {
        let key = (!decrypts).then(|| keys.first());
        let wanted = Wanted {
            old: database.free_text().clone(),
            new: FreeText::Sealed(key.cloned().map(Into::into)),
            pattern: pattern(key),
            is_like: decrypts,
        };
        Self { database, wanted, place: Place::Notes(i64::MIN) }
    }

    /// How many rows are still to be changed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn pending(&self) -> Result<u64, RepositoryError> {
        let wanted = self.wanted.clone();
        self.database
            .run_long_read(move |connection| {
                let AnyConnection::Postgres(connection) = connection else { return Ok(0) };
                let count: Count = sql_query(
                    "SELECT (SELECT count(*) FROM notes WHERE (text LIKE $1) = $2) \
                     + (SELECT count(*) FROM quarantine WHERE (payload LIKE $1) = $2) \
                     + (SELECT count(*) FROM audit_log WHERE action = $3 \
                     AND values_hash IS NOT NULL \
                     AND ((old_value LIKE $1) = $2 OR (new_value LIKE $1) = $2)) AS number",
                )
                .bind::<Text, _>(&wanted.pattern)
                .bind::<Bool, _>(wanted.is_like)
                .bind::<Text, _>(AuditAction::ChangedNote.name())
                .get_result(connection)?;
                Ok(count.number.try_into().unwrap_or_default())
            })
            .await
    }

    /// Changes the next rows, at most a hundred; returns how many, or `None` if all were looked at.
    ///
    /// # Errors
    /// When the database cannot be written, or a text is encrypted with a key that is not there.
    pub async fn step(&mut self) -> Result<Option<u64>, RepositoryError> {
        let (wanted, place) = (self.wanted.clone(), self.place);
        let changed = self.database.write("encrypt free texts", move |connection| {
            let AnyConnection::Postgres(connection) = connection else { return Ok(None) };
            connection.transaction(|connection| match place {
                Place::Notes(after) => {
                    let (changed, last) = wanted.change_notes(connection, after)?;
                    let next = last.map_or(Place::Quarantine(i64::MIN), Place::Notes);
                    Ok(Some((changed, next)))
                }
                Place::Quarantine(after) => {
                    let (changed, last) = wanted.change_payloads(connection, after)?;
                    let next = last.map_or(Place::AuditLog(i64::MIN), Place::Quarantine);
                    Ok(Some((changed, next)))
                }
                Place::AuditLog(after) => {
                    let (changed, last) = wanted.change_values(connection, after)?;
                    Ok(Some((changed, last.map_or(Place::End, Place::AuditLog))))
                }
                Place::End => Ok(None),
            })
        });
        let Some((changed, next)) = changed.await? else { return Ok(None) };
        self.place = next;
        Ok(Some(changed))
    }
}

/// How many rows were changed, and the last one.
type Changed = (u64, Option<i64>);

impl Wanted {
    fn change_notes(&self, connection: &mut PgConnection, after: i64) -> Result<Changed, Failure> {
        let rows: Vec<StoredText> = sql_query(
            "SELECT telegram_id AS key, text AS stored FROM notes \
             WHERE (text LIKE $1) = $2 AND telegram_id > $3 \
             ORDER BY telegram_id LIMIT 100 FOR UPDATE",
        )
        .bind::<Text, _>(&self.pattern)
        .bind::<Bool, _>(self.is_like)
        .bind::<BigInt, _>(after)
        .load(connection)?;
        self.change(
            connection,
            rows,
            Cell::note,
            "UPDATE notes SET text = $1 WHERE telegram_id = $2",
        )
    }

    fn change_payloads(
        &self,
        connection: &mut PgConnection,
        after: i64,
    ) -> Result<Changed, Failure> {
        let rows: Vec<StoredText> = sql_query(
            "SELECT update_id AS key, payload AS stored FROM quarantine \
             WHERE (payload LIKE $1) = $2 AND update_id > $3 \
             ORDER BY update_id LIMIT 100 FOR UPDATE",
        )
        .bind::<Text, _>(&self.pattern)
        .bind::<Bool, _>(self.is_like)
        .bind::<BigInt, _>(after)
        .load(connection)?;
        let update = "UPDATE quarantine SET payload = $1 WHERE update_id = $2";
        self.change(connection, rows, Cell::payload, update)
    }

    fn change(
        &self,
        connection: &mut PgConnection,
        rows: Vec<StoredText>,
        cell: impl Fn(i64) -> Cell,
        update: &str,
    ) -> Result<Changed, Failure> {
        let mut changed = (0, None);
        for StoredText { key, stored } in rows {
            let text = self.old.open(cell(key), stored)?;
            sql_query(update)
                .bind::<Text, _>(self.new.seal(cell(key), &text)?)
                .bind::<BigInt, _>(key)
                .execute(connection)?;
            changed = (changed.0 + 1, Some(key));
        }
        Ok(changed)
    }

    /// The values of entries about notes. Their hash stays, because it is that of the texts.
    fn change_values(&self, connection: &mut PgConnection, after: i64) -> Result<Changed, Failure> {
        let rows: Vec<StoredValues> = sql_query(
            "SELECT id, old_value, new_value, values_hash FROM audit_log \
             WHERE action = $3 AND values_hash IS NOT NULL \
             AND ((old_value LIKE $1) = $2 OR (new_value LIKE $1) = $2) AND id > $4 \
             ORDER BY id LIMIT 100 FOR UPDATE",
        )
        .bind::<Text, _>(&self.pattern)
        .bind::<Bool, _>(self.is_like)
        .bind::<Text, _>(AuditAction::ChangedNote.name())
        .bind::<BigInt, _>(after)
        .load(connection)?;
        let mut changed = (0, None);
        for StoredValues { id, old_value, new_value, values_hash } in rows {
            let (old, new) = open_values(&self.old, old_value, new_value, Some(&values_hash))?;
            let seal = |column, value: Option<String>| {
                let cell = Cell::audit(column, &values_hash);
                value.map(|value| self.new.seal(cell, &value)).transpose()
            };
            sql_query("UPDATE audit_log SET old_value = $1, new_value = $2 WHERE id = $3")
                .bind::<Nullable<Text>, _>(seal(OLD, old)?)
                .bind::<Nullable<Text>, _>(seal(NEW, new)?)
                .bind::<BigInt, _>(id)
                .execute(connection)?;
            changed = (changed.0 + 1, Some(id));
        }
        Ok(changed)
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct StoredText {
    #[diesel(sql_type = BigInt)]
    key: i64,
    #[diesel(sql_type = Text)]
    stored: String,
}

#[derive(QueryableByName)]
struct StoredValues {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    old_value: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    new_value: Option<String>,
    #[diesel(sql_type = Binary)]
    values_hash: Vec<u8>,
}
