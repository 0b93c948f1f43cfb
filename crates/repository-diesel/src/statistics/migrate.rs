use super::recount;
use crate::base::{
    database::Database,
    migrations::{self, Migration, MigrationError},
};

impl Database {
    /// Applies every migration that the database lacks, all or none, and returns which those were.
    /// Then counts the sums about activity, if a migration has just added them; if that is
    /// interrupted, the next call does it. Several processes may call this at once: one works, and
    /// the others wait and find nothing to do.
    ///
    /// # Errors
    /// When the database cannot be written, or is newer than this program.
    pub async fn migrate(&self) -> Result<Vec<Migration>, MigrationError> {
        self.with_writer(|connection| {
            let applied = migrations::apply(connection)?;
            recount::first(connection)
                .map_err(|failure| MigrationError::Failed(failure.into_error(connection).into()))?;
            Ok(applied)
        })
        .await
    }
}
