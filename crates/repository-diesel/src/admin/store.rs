use diesel::{Connection, result::Error as DieselError};
use rollcall_repository::{NewAuditEntry, RepositoryError};

use crate::{
    admin::audit::entry::add_entry,
    base::{connection::AnyConnection, database::Database, error::Failure},
};

/// The storage of admins, in the tables `admin_accounts`, `admin_sessions`, `admin_links`,
/// `admin_invitations`, `second_factors`, `passkeys`, `recovery_codes`, `sign_in_failures`,
/// `device_secret`, `device_generations`, `telegram_owners`, `claim_codes`, `mini_app_sign_ins`,
/// `api_keys` and `audit_log`.
///
/// Every transaction begins with a statement that writes. On SQLite, a transaction that reads first
/// may find that another process wrote meanwhile, and has to be repeated.
#[derive(Clone, Debug)]
pub struct DieselAdminRepository {
    pub(crate) database: Database,
}

impl DieselAdminRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Does `work` in a transaction. If it made a change, adds `entry` to the audit log; otherwise
    /// rolls back.
    pub(crate) async fn change<T, W>(
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
    /// There was nothing to change: this is the result.
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

/// The result of a change. What was written before `None` is rolled back.
pub(crate) enum Change<T> {
    Made(T),
    /// A change, whose entry is in the audit log already.
    Logged(T),
    None(T),
}

impl Change<bool> {
    /// A change if it affected rows.
    pub(crate) fn of(rows: usize) -> Self {
        if rows > 0 { Self::Made(true) } else { Self::None(false) }
    }
}

pub(crate) fn corrupt(
    table: &'static str,
    column: &'static str,
    key: &str,
    reason: String,
) -> Failure {
    Failure::Corrupt { table, column, key: key.to_owned(), reason }
}
