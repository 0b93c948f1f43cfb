//! The directory of users; see [`DirectoryRepository`].

mod conditions;
mod list;
pub(crate) mod search;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::{Connection, connection::SimpleConnection, prelude::*};
use rollcall_domain::{
    Cursor, Note, NoteChange, ProfileChange, ProfileField, TelegramId, UserDetail, UserFilter,
    UserSlice, UserSort,
};
use rollcall_repository::{DirectoryRepository, RepositoryError};

use crate::{
    DieselUserRepository,
    connection::AnyConnection,
    error::Failure,
    reach,
    row::UserRow,
    schema::{active_days, notes, profile_changes, telegram_users},
    timestamp::UtcMicros,
};

#[async_trait]
impl DirectoryRepository for DieselUserRepository {
    async fn users(
        &self,
        filter: &UserFilter,
        sort: UserSort,
        cursor: Option<Cursor>,
        size: u32,
    ) -> Result<UserSlice, RepositoryError> {
        let filter = filter.clone();
        self.database
            .read("list users", move |connection| {
                at_one_moment(connection, |connection| {
                    list::users(connection, &filter, sort, cursor, size)
                })
            })
            .await
    }

    async fn user(
        &self,
        id: TelegramId,
        since: NaiveDate,
    ) -> Result<Option<UserDetail>, RepositoryError> {
        self.database
            .read("read all about a user", move |connection| {
                at_one_moment(connection, |connection| user(connection, id, since))
            })
            .await
    }

    async fn set_note(
        &self,
        id: TelegramId,
        text: &str,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<NoteChange>, RepositoryError> {
        let note =
            (!text.is_empty()).then(|| Note { text: text.to_owned(), at, by: by.to_owned() });
        self.database
            .write("note something about a user", move |connection| {
                connection.transaction(|connection| set_note(connection, id, note.as_ref()))
            })
            .await
    }

    async fn index_names(&self, limit: u32) -> Result<usize, RepositoryError> {
        // A look first: as a rule there is nothing to do, and it waits for nobody who writes.
        let pending = self.database.read("look for names to search", search::any_pending).await?;
        if !pending {
            return Ok(0);
        }
        self.database
            .write("take names into the search", move |connection| {
                connection.transaction(|connection| search::index_names(connection, limit))
            })
            .await
    }
}

/// Does work that only reads, all of which sees the database as it stands at one moment.
fn at_one_moment<T>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    connection.transaction(|connection| {
        if let AnyConnection::Postgres(connection) = connection {
            // The settings are those of a session of its own, for one that is shared.
            connection.batch_execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
                 SET LOCAL enable_seqscan = off; SET LOCAL jit = off",
            )?;
        }
        work(connection)
    })
}

/// How many entries of each history of a user are shown.
const HISTORY: u32 = 100;

fn user(
    connection: &mut AnyConnection,
    id: TelegramId,
    since: NaiveDate,
) -> Result<Option<UserDetail>, Failure> {
    let row: Option<(UserRow, i32, NaiveDate, i32)> = telegram_users::table
        .find(id.get())
        .select((
            UserRow::as_select(),
            telegram_users::active_days,
            telegram_users::active_day,
            telegram_users::day_interactions,
        ))
        .first(connection)
        .optional()?;
    let Some((row, active_days, latest, interactions)) = row else { return Ok(None) };
    let mut days = past_days(connection, id, since)?;
    if latest >= since {
        days.push((latest, count(interactions)));
    }
    Ok(Some(UserDetail {
        user: row.into_user()?,
        active_days: count(active_days),
        days,
        reach_history: reach::history(connection, id, HISTORY)?,
        starts: reach::starts(connection, id, HISTORY)?,
        profile_changes: profile_changes(connection, id)?,
        note: note(connection, id)?,
    }))
}

/// The days of activity before the latest.
fn past_days(
    connection: &mut AnyConnection,
    id: TelegramId,
    since: NaiveDate,
) -> QueryResult<Vec<(NaiveDate, u32)>> {
    let rows: Vec<(NaiveDate, i32)> = active_days::table
        .filter(active_days::telegram_id.eq(id.get()))
        .filter(active_days::day.ge(since))
        .order(active_days::day)
        .select((active_days::day, active_days::interactions))
        .load(connection)?;
    Ok(rows.into_iter().map(|(day, interactions)| (day, count(interactions))).collect())
}

fn profile_changes(
    connection: &mut AnyConnection,
    id: TelegramId,
) -> Result<Vec<ProfileChange>, Failure> {
    let rows: Vec<(UtcMicros, String, Option<String>, Option<String>)> = profile_changes::table
        .filter(profile_changes::telegram_id.eq(id.get()))
        .order((profile_changes::at.desc(), profile_changes::field))
        .limit(HISTORY.into())
        .select((
            profile_changes::at,
            profile_changes::field,
            profile_changes::old_value,
            profile_changes::new_value,
        ))
        .load(connection)?;
    let change = |(at, field, old, new): (UtcMicros, String, _, _)| {
        let field = ProfileField::from_name(&field).ok_or_else(|| Failure::Corrupt {
            table: "profile_changes",
            column: "field",
            key: format!("({id}, {})", at.to_text()),
            reason: "no part of a profile has this name".to_owned(),
        })?;
        Ok(ProfileChange { at: at.into(), field, old, new })
    };
    rows.into_iter().map(change).collect()
}

fn note(connection: &mut AnyConnection, id: TelegramId) -> QueryResult<Option<Note>> {
    let row: Option<(String, UtcMicros, String)> = notes::table
        .find(id.get())
        .select((notes::text, notes::written_at, notes::written_by))
        .first(connection)
        .optional()?;
    Ok(row.map(|(text, at, by)| Note { text, at: at.into(), by }))
}

fn set_note(
    connection: &mut AnyConnection,
    id: TelegramId,
    new: Option<&Note>,
) -> Result<Option<NoteChange>, Failure> {
    // The user's row is locked, so that nobody erases the user or writes another note meanwhile.
    if !crate::activity::lock(connection, id.get())? {
        return Ok(None);
    }
    let old = note(connection, id)?;
    diesel::delete(notes::table.find(id.get())).execute(connection)?;
    if let Some(Note { text, at, by }) = new {
        diesel::insert_into(notes::table)
            .values((
                notes::telegram_id.eq(id.get()),
                notes::text.eq(text),
                notes::written_at.eq(UtcMicros::from(*at)),
                notes::written_by.eq(by),
            ))
            .execute(connection)?;
    }
    Ok(Some(NoteChange { old: old.map(|note| note.text), new: new.map(|note| note.text.clone()) }))
}

/// Erases what the directory keeps of a user.
pub(crate) fn erase(connection: &mut AnyConnection, id: i64) -> QueryResult<()> {
    diesel::delete(profile_changes::table.filter(profile_changes::telegram_id.eq(id)))
        .execute(connection)?;
    diesel::delete(notes::table.find(id)).execute(connection)?;
    search::remove(connection, id)
}

/// A count as the databases store it, which is never negative.
fn count(number: i32) -> u32 {
    number.try_into().unwrap_or_default()
}
