//! Copies of an SQLite file that is in use.

use std::path::Path;

use diesel::{RunQueryDsl, sql_query, sql_types::Text};
use rollcall_repository::RepositoryError;

use super::{
    connection::AnyConnection, database::Database, error::Failure, file_mode::create_private,
    server::blocking,
};

impl Database {
    /// Copies an SQLite database to a new file for its owner only, while others read and write. The copy has
    /// the key of the database. If it fails, no file is left.
    ///
    /// # Errors
    /// If there is such a file, it cannot be written, or the database is PostgreSQL.
    pub async fn back_up(&self, file: &Path) -> Result<(), RepositoryError> {
        let (database, file) = (self.clone(), file.to_owned());
        blocking(move || database.copy_to(&file)).await
    }

    fn copy_to(&self, file: &Path) -> Result<(), RepositoryError> {
        let refused = |reason: String| RepositoryError::Failed(reason.as_str().into());
        let named = |reason: String| refused(format!("{}: {reason}", file.display()));
        if file.try_exists().map_err(|error| named(error.to_string()))? {
            return Err(named("it exists already".to_owned()));
        }
        // Of its own, because those of the pool may not write.
        let opened = AnyConnection::open(self.url(), self.file_key());
        let (mut connection, _) =
            opened.map_err(|error| refused(self.url().redact(&error.to_string())))?;
        if let AnyConnection::Postgres(_) = connection {
            return Err(refused("expected an SQLite database; use pg_dump".to_owned()));
        }
        create_private(file).map_err(|error| named(error.to_string()))?;
        let copied = sql_query("VACUUM INTO ?")
            .bind::<Text, _>(file.to_string_lossy())
            .execute(&mut connection);
        copied.map(drop).map_err(|error| {
            drop(std::fs::remove_file(file));
            Failure::from(error).into_error(&mut connection)
        })
    }
}
