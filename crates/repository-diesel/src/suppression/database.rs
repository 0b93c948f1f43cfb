use rollcall_repository::RepositoryError;

use super::key;
use crate::base::{
    database::Database,
    suppression_key::{SuppressionKey, SuppressionKeyPlace},
};

impl Database {
    /// Checks the key for the ids of erased users, and returns where it is.
    ///
    /// # Errors
    /// If the key is missing or wrong, or the database fails.
    pub async fn suppression_key_place(&self) -> Result<SuppressionKeyPlace, RepositoryError> {
        let source = self.suppression_key().clone();
        self.read("check the suppression key", move |connection| key::place(connection, &source))
            .await
    }

    /// As [`Database::suppression_key_place`], and deletes the database's copy of a key that was given.
    ///
    /// # Errors
    /// If the key is missing or wrong, or the database fails.
    pub async fn settle_suppression_key(&self) -> Result<SuppressionKeyPlace, RepositoryError> {
        let source = self.suppression_key().clone();
        self.write("settle the suppression key", move |connection| key::settle(connection, &source))
            .await
    }

    /// The key that the database keeps, or a new one if it has none and no user was erased yet. `None` if
    /// the key is not in the database.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn suppression_key_to_move(&self) -> Result<Option<SuppressionKey>, RepositoryError> {
        let source = self.suppression_key().clone();
        self.read("read the suppression key", move |connection| key::to_move(connection, &source))
            .await
    }
}
