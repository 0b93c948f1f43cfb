//! Reading the database as it is at one moment.

use diesel::{Connection, connection::SimpleConnection};

use super::{connection::AnyConnection, error::Failure};

/// Does work that only reads, and sees the database at one moment.
pub(crate) fn at_one_moment<T>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    connection.transaction(|connection| {
        if let AnyConnection::Postgres(connection) = connection {
            // The settings that a session of its own has already, and a shared one has not.
            connection.batch_execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
                 SET LOCAL enable_seqscan = off; SET LOCAL jit = off",
            )?;
        }
        work(connection)
    })
}
