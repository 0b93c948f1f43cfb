use diesel::{Connection, result::Error as DieselError};
use rollcall_repository::{NewAuditEntry, RepositoryError};

use super::entry::add_entry;
use crate::{Database, connection::AnyConnection, error::Failure};

/// The store of admins, in the tables `admin_accounts`, `admin_sessions`, `admin_links`,
/// `admin_invitations`, `second_factors`, `passkeys`, `recovery_codes`, `device_secret`,
/// `device_generations`, `sign_in_failures` and `audit_log`.
///
/// Every transaction begins with a statement that writes: on SQLite, one that reads first may find
/// that somebody else wrote meanwhile, and has to be done again.
#[derive(Clone, Debug)]
pub struct DieselAdminRepository {
    pub(super) database: Database,
}

impl DieselAdminRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Does `work` in a transaction; where it answers that it changed something, `entry` is added to
    /// the audit log, and else the transaction is rolled back.
    pub(super) async fn change<T, W>(
        &self,
        what: &'static str,
        entry: &NewAuditEntry,
        work: W,
    ) -> Result<T, RepositoryError>
    where
        T: Send + 'static,
        W: Fn(&mut AnyConnection) -> Result<Change<T>, Failure> + Send + 'static,
    {
        let entry = entry.clone();
        self.database
            .write(what, move |connection| {
                let changed = connection.transaction(|connection| match work(connection)? {
                    Change::Made(answer) => {
                        add_entry(connection, &entry)?;
                        Ok(answer)
                    }
                    Change::Logged(answer) => Ok(answer),
                    Change::None(answer) => Err(Unchanged::Nothing(answer)),
                });
                match changed {
                    Ok(answer) | Err(Unchanged::Nothing(answer)) => Ok(answer),
                    Err(Unchanged::Failed(failure)) => Err(failure),
                }
            })
            .await
    }
}

/// Why a transaction is rolled back.
enum Unchanged<T> {
    /// There was nothing to change, which is the answer.
    Nothing(T),
    Failed(Failure),
}

impl<T> From<Failure> for Unchanged<T> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<T> From<DieselError> for Unchanged<T> {
    fn from(error: DieselError) -> Self {
        Self::Failed(error.into())
    }
}

/// What a change answers, and whether it was one. What was written before `None` is taken back.
pub(super) enum Change<T> {
    Made(T),
    /// Made, and the entry about it is in the audit log already.
    Logged(T),
    None(T),
}

impl Change<bool> {
    /// A change that affects a row, or none.
    pub(super) fn of(rows: usize) -> Self {
        if rows > 0 { Self::Made(true) } else { Self::None(false) }
    }
}

pub(super) fn corrupt(
    table: &'static str,
    column: &'static str,
    key: &str,
    reason: String,
) -> Failure {
    Failure::Corrupt { table, column, key: key.to_owned(), reason }
}
