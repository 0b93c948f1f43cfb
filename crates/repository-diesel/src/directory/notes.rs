//! The notes that admins write about users.

use diesel::prelude::*;
use rollcall_domain::{Note, NoteChange, TelegramId};

use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        free_text::{Cell, FreeText},
        schema::notes,
        timestamp::UtcMicros,
    },
    users::lock::lock,
};

/// The note about a user.
pub(super) fn read(
    connection: &mut AnyConnection,
    id: TelegramId,
    free_text: &FreeText,
) -> Result<Option<Note>, Failure> {
    let row: Option<NoteRow> =
        notes::table.find(id.get()).select(NoteRow::as_select()).first(connection).optional()?;
    row.map(|row| row.into_note(free_text)).transpose()
}

/// See [`DirectoryRepository::set_note`](rollcall_repository::DirectoryRepository::set_note). Runs
/// in a transaction.
pub(super) fn set(
    connection: &mut AnyConnection,
    id: TelegramId,
    new: Option<&Note>,
    free_text: &FreeText,
) -> Result<Option<NoteChange>, Failure> {
    // Locks the user's row, so that no other transaction deletes the user or writes a note.
    if !lock(connection, id.get())? {
        return Ok(None);
    }
    let old = read(connection, id, free_text)?;
    diesel::delete(notes::table.find(id.get())).execute(connection)?;
    if let Some(Note { text, at, by }) = new {
        let row = NoteRow {
            telegram_id: id.get(),
            text: free_text.seal(Cell::note(id.get()), text)?,
            written_at: (*at).into(),
            written_by: by.clone(),
        };
        diesel::insert_into(notes::table).values(row).execute(connection)?;
    }
    Ok(Some(NoteChange { old: old.map(|note| note.text), new: new.map(|note| note.text.clone()) }))
}

/// A row of `notes`.
#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = notes)]
struct NoteRow {
    telegram_id: i64,
    text: String,
    written_at: UtcMicros,
    written_by: String,
}

impl NoteRow {
    fn into_note(self, free_text: &FreeText) -> Result<Note, Failure> {
        let text = free_text.open(Cell::note(self.telegram_id), self.text)?;
        Ok(Note { text, at: self.written_at.into(), by: self.written_by })
    }
}
