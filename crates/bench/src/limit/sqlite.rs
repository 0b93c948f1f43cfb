//! SQLite: WAL, `synchronous = FULL`, one multi-row statement per transaction.

use std::{
    ffi::{CStr, CString},
    path::Path,
    ptr::null_mut,
};

use anyhow::{Result, bail, ensure};
use libsqlite3_sys as ffi;

use super::content::BatchContent;
use crate::people::Person;

pub(crate) struct SqliteLimit {
    connection: *mut ffi::sqlite3,
    users: *mut ffi::sqlite3_stmt,
    /// The statements around `users` in a transaction that also counts.
    counting: Option<Counting>,
}

/// Prepared statements of a transaction that counts.
#[derive(Clone, Copy)]
struct Counting {
    begin: *mut ffi::sqlite3_stmt,
    count: *mut ffi::sqlite3_stmt,
    commit: *mut ffi::sqlite3_stmt,
}

// SAFETY: it is not bound to a thread, and only one thread at a time uses it.
unsafe impl Send for SqliteLimit {}

impl SqliteLimit {
    pub(crate) fn open(path: &Path, size: usize, content: BatchContent) -> Result<Self> {
        let path = CString::new(path.display().to_string())?;
        let mut connection = null_mut();
        // SAFETY: the text outlives the call, and dropping this closes the connection.
        ensure!(unsafe { ffi::sqlite3_open(path.as_ptr(), &raw mut connection) } == ffi::SQLITE_OK);
        let mut limit = Self { connection, users: null_mut(), counting: None };
        for pragma in [
            "journal_mode = WAL",
            "synchronous = FULL",
            "busy_timeout = 10000",
            "wal_autocheckpoint = 32000",
            "cache_size = -16384",
        ] {
            limit.execute(&format!("PRAGMA {pragma}"))?;
        }
        let row = "(?, ?, ?, ?, ?, 0, ?1, ?1, ?1, substr(?1, 1, 10), 0)";
        limit.users = limit.prepare(&format!(
            "INSERT INTO telegram_users (telegram_id, first_name, last_name, username, \
             language_code, is_bot, created_at, updated_at, last_seen, active_day, \
             has_private_chat) VALUES {} ON CONFLICT (telegram_id) DO UPDATE SET \
             previous_seen = last_seen, last_seen = excluded.last_seen, \
             day_interactions = day_interactions + 1",
            // The first parameter is the time.
            vec![row; size].join(", ").replacen('?', "?2", 1)
        ))?;
        if content == BatchContent::UsersAndCounts {
            limit.counting = Some(Counting {
                begin: limit.prepare("BEGIN IMMEDIATE")?,
                count: limit.prepare(
                    "INSERT INTO activity_sums \
                     VALUES ('kind', substr(?1, 1, 10), 'call', 1, ?2) \
                     ON CONFLICT DO UPDATE SET value = value + excluded.value",
                )?,
                commit: limit.prepare("COMMIT")?,
            });
        }
        Ok(limit)
    }

    pub(crate) fn write(&mut self, people: &[&Person], now: &str) -> Result<()> {
        self.bind_text(self.users, 1, now)?;
        for (place, person) in (0..).zip(people) {
            let first = 2 + 5 * place;
            // SAFETY: the statement is not finalized, and has a parameter of this number.
            unsafe { ffi::sqlite3_bind_int64(self.users, first, person.id) };
            for (parameter, text) in (first + 1..).zip(person.texts()) {
                self.bind_text(self.users, parameter, text)?;
            }
        }
        let Some(Counting { begin, count, commit }) = self.counting else {
            return self.step(self.users);
        };
        self.bind_text(count, 1, now)?;
        // SAFETY: as above.
        unsafe { ffi::sqlite3_bind_int64(count, 2, people.len() as i64) };
        for statement in [begin, self.users, count, commit] {
            self.step(statement)?;
        }
        Ok(())
    }

    pub(crate) fn execute(&self, sql: &str) -> Result<()> {
        let statement = self.prepare(sql)?;
        let result = self.step(statement);
        // SAFETY: it was prepared above.
        unsafe { ffi::sqlite3_finalize(statement) };
        result
    }

    fn prepare(&self, sql: &str) -> Result<*mut ffi::sqlite3_stmt> {
        let sql = CString::new(sql)?;
        let mut statement = null_mut();
        // SAFETY: the text outlives the call.
        let code = unsafe {
            ffi::sqlite3_prepare_v2(
                self.connection,
                sql.as_ptr(),
                -1,
                &raw mut statement,
                null_mut(),
            )
        };
        self.check(code, ffi::SQLITE_OK)?;
        Ok(statement)
    }

    /// Binds a text, which must live until the statement is stepped.
    fn bind_text(&self, statement: *mut ffi::sqlite3_stmt, place: i32, text: &str) -> Result<()> {
        let length = i32::try_from(text.len())?;
        // SAFETY: the statement is not finalized; without a destructor, SQLite frees nothing.
        let code =
            unsafe { ffi::sqlite3_bind_text(statement, place, text.as_ptr().cast(), length, None) };
        self.check(code, ffi::SQLITE_OK)
    }

    fn step(&self, statement: *mut ffi::sqlite3_stmt) -> Result<()> {
        // SAFETY: the statement is not finalized.
        let code = unsafe { ffi::sqlite3_step(statement) };
        // SAFETY: as above.
        unsafe { ffi::sqlite3_reset(statement) };
        if code == ffi::SQLITE_ROW { Ok(()) } else { self.check(code, ffi::SQLITE_DONE) }
    }

    fn check(&self, code: i32, expected: i32) -> Result<()> {
        if code == expected {
            return Ok(());
        }
        // SAFETY: the connection is open, and its last message is valid.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.connection)) };
        bail!("SQLite: {}", message.to_string_lossy())
    }
}

impl Drop for SqliteLimit {
    fn drop(&mut self) {
        let counting = self.counting.map(|it| [it.begin, it.count, it.commit]);
        for statement in counting.into_iter().flatten().chain([self.users]) {
            // SAFETY: it is not used any more; null is allowed.
            unsafe { ffi::sqlite3_finalize(statement) };
        }
        // SAFETY: it is not used any more.
        unsafe { ffi::sqlite3_close(self.connection) };
    }
}
