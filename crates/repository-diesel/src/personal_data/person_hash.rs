//! The keyed hash of a person's id.

use rollcall_domain::TelegramId;

use crate::{
    base::{
        connection::AnyConnection, database::Database, error::Failure,
        suppression_key::SuppressionKey, transaction::Transaction,
    },
    suppression::key,
};

/// Hashes the ids of people with the key that also recognises erased users.
pub(super) struct PersonHasher(SuppressionKey);

impl PersonHasher {
    /// The hasher of a database, which gets a key if it has none.
    pub(super) fn of(connection: &mut AnyConnection, database: &Database) -> Result<Self, Failure> {
        let mut transaction = Transaction::from(connection);
        key::given_or_created(&mut transaction, database.suppression_key()).map(Self)
    }

    pub(super) fn hash(&self, person: TelegramId) -> Vec<u8> {
        self.0.hash(person.get())
    }
}
