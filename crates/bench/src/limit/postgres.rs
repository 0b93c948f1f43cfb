//! PostgreSQL: one prepared statement with arrays, in its own transaction, with `synchronous_commit`.

use std::{
    ffi::{CStr, CString},
    ptr::null,
};

use anyhow::{Result, bail};
use pq_sys as ffi;

use super::content::BatchContent;
use crate::people::Person;

pub(crate) struct PostgresLimit {
    connection: *mut ffi::PGconn,
}

// SAFETY: a connection is not bound to a thread, and only one thread at a time uses it.
unsafe impl Send for PostgresLimit {}

/// The OIDs of PostgreSQL's types `bigint` and `text`.
const BIGINT: i32 = 20;
const TEXT: i32 = 25;

impl PostgresLimit {
    pub(crate) fn open(url: &str, content: BatchContent) -> Result<Self> {
        let url = CString::new(url)?;
        // SAFETY: the text outlives the call, and dropping this closes the connection.
        let connection = unsafe { ffi::PQconnectdb(url.as_ptr()) };
        let limit = Self { connection };
        // SAFETY: the connection is open.
        if unsafe { ffi::PQstatus(connection) } != ffi::ConnStatusType::CONNECTION_OK {
            bail!("PostgreSQL: {}", limit.message());
        }
        let users = "INSERT INTO telegram_users AS stored (telegram_id, first_name, last_name, \
                     username, language_code, is_bot, created_at, updated_at, last_seen, \
                     active_day, has_private_chat) \
                     SELECT telegram_id, first_name, last_name, username, language_code, false, \
                     $6::text::timestamp, $6::text::timestamp, $6::text::timestamp, \
                     $6::text::timestamp::date, false \
                     FROM UNNEST($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) \
                     AS new (telegram_id, first_name, last_name, username, language_code) \
                     ON CONFLICT (telegram_id) DO UPDATE SET \
                     previous_seen = stored.last_seen, last_seen = excluded.last_seen, \
                     day_interactions = stored.day_interactions + 1";
        let sql = match content {
            BatchContent::Users => users.to_owned(),
            BatchContent::UsersAndCounts => format!(
                "WITH users AS ({users}) INSERT INTO activity_sums AS counted \
                 VALUES ('kind', $6::text::timestamp::date, 'call', -1, cardinality($1)) \
                 ON CONFLICT (figure, day, label, slot) DO UPDATE \
                 SET value = counted.value + excluded.value"
            ),
        };
        let sql = CString::new(sql)?;
        // SAFETY: the texts outlive the call.
        limit.check(unsafe {
            ffi::PQprepare(connection, c"write".as_ptr(), sql.as_ptr(), 0, null())
        })?;
        Ok(limit)
    }

    pub(crate) fn write(&mut self, people: &[&Person], now: &str) -> Result<()> {
        let ids = array(BIGINT, people.iter().map(|person| person.id.to_be_bytes()));
        let texts = [0, 1, 2, 3]
            .map(|place| array(TEXT, people.iter().map(|person| person.texts()[place])));
        let [first, last, username, language] = &texts;
        let parameters = [&ids, first, last, username, language, now.as_bytes()];
        let values = parameters.map(|bytes| bytes.as_ptr().cast());
        let lengths = parameters.map(|bytes| bytes.len() as i32);
        // SAFETY: the arrays have the given number of elements, and outlive the call.
        self.check(unsafe {
            ffi::PQexecPrepared(
                self.connection,
                c"write".as_ptr(),
                6,
                values.as_ptr(),
                lengths.as_ptr(),
                [1; 6].as_ptr(),
                1,
            )
        })
    }

    pub(crate) fn execute(&self, sql: &str) -> Result<()> {
        let sql = CString::new(sql)?;
        // SAFETY: the text outlives the call.
        self.check(unsafe { ffi::PQexec(self.connection, sql.as_ptr()) })
    }

    /// The first value of a query's result, as text.
    pub(crate) fn text(&self, sql: &str) -> Result<String> {
        let sql = CString::new(sql)?;
        // SAFETY: the text outlives the call.
        let result = unsafe { ffi::PQexec(self.connection, sql.as_ptr()) };
        // SAFETY: it is a result of this connection.
        if unsafe { ffi::PQntuples(result) } == 0 {
            self.check(result)?;
            bail!("PostgreSQL: no rows");
        }
        // SAFETY: there is a row, and the text is valid as long as the result.
        let text = unsafe { CStr::from_ptr(ffi::PQgetvalue(result, 0, 0)) };
        let text = text.to_string_lossy().into_owned();
        self.check(result)?;
        Ok(text)
    }

    /// Frees the result, and fails with its message if it is an error.
    fn check(&self, result: *mut ffi::PGresult) -> Result<()> {
        // SAFETY: it is a result of this connection; null is allowed.
        let status = unsafe { ffi::PQresultStatus(result) };
        // SAFETY: it is not used any more.
        unsafe { ffi::PQclear(result) };
        match status {
            ffi::ExecStatusType::PGRES_COMMAND_OK | ffi::ExecStatusType::PGRES_TUPLES_OK => Ok(()),
            _ => bail!("PostgreSQL: {}", self.message()),
        }
    }

    fn message(&self) -> String {
        // SAFETY: the connection is open, and its last message is valid.
        let message = unsafe { CStr::from_ptr(ffi::PQerrorMessage(self.connection)) };
        message.to_string_lossy().into_owned()
    }
}

impl Drop for PostgresLimit {
    fn drop(&mut self) {
        // SAFETY: it is not used any more.
        unsafe { ffi::PQfinish(self.connection) };
    }
}

/// A one-dimensional array without NULLs in PostgreSQL's binary form.
fn array<T: AsRef<[u8]>>(element: i32, values: impl ExactSizeIterator<Item = T>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(20 + 16 * values.len());
    for field in [1, 0, element, values.len() as i32, 1] {
        bytes.extend(field.to_be_bytes());
    }
    for value in values {
        bytes.extend((value.as_ref().len() as i32).to_be_bytes());
        bytes.extend(value.as_ref());
    }
    bytes
}
