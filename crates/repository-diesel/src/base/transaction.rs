//! The connection of a transaction that writes.

use diesel::SqliteConnection;

use super::{connection::AnyConnection, sqlstate::PgTransaction};

/// The connection of a transaction that writes, to either database.
pub(crate) enum Transaction<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(PgTransaction<'a>),
}

impl<'a> From<&'a mut AnyConnection> for Transaction<'a> {
    fn from(connection: &'a mut AnyConnection) -> Self {
        match connection {
            AnyConnection::Sqlite(connection) => Self::Sqlite(connection),
            AnyConnection::Postgres(connection) => Self::Postgres(PgTransaction::new(connection)),
        }
    }
}

/// Does the same on the connection of whichever database it is.
macro_rules! alike {
    ($transaction:ident => $work:expr) => {
        match $transaction {
            $crate::base::transaction::Transaction::Sqlite($transaction) => {
                let $transaction = &mut **$transaction;
                $work
            }
            $crate::base::transaction::Transaction::Postgres($transaction) => $work,
        }
    };
}
pub(crate) use alike;
