//! What an owner chooses about a database.

use std::time::Duration;

use diesel::{RunQueryDsl, sql_types::Bool};
use rollcall_domain::{UserEventKinds, error_chain};

use super::{
    connection::AnyConnection,
    database::{Database, check_exists},
    database_key::{DatabaseKey, DatabaseKeys},
    database_url::DatabaseUrl,
    free_text::FreeText,
    open_error::OpenError,
    suppression_key::{KeySource, SuppressionKey},
};

impl Database {
    /// As [`Database::open_with_keys`], without keys.
    ///
    /// # Errors
    /// When it cannot be reached or opened, or is encrypted.
    pub async fn open(url: DatabaseUrl) -> Result<Self, OpenError> {
        Self::open_with_keys(url, None).await
    }

    /// As [`Database::open`], if the database exists. A mistyped SQLite file is not created.
    ///
    /// # Errors
    /// When it does not exist, or cannot be reached or opened.
    pub async fn open_existing(url: DatabaseUrl) -> Result<Self, OpenError> {
        Self::open_existing_with_keys(url, None).await
    }

    /// As [`Database::open_with_keys`], if the database exists.
    ///
    /// # Errors
    /// When it does not exist, cannot be reached or opened, or has another key, or none.
    pub async fn open_existing_with_keys(
        url: DatabaseUrl,
        keys: Option<DatabaseKeys>,
    ) -> Result<Self, OpenError> {
        check_exists(&url)?;
        Self::open_with_keys(url, keys).await
    }

    /// Refuses a PostgreSQL server that can only be read, such as a standby.
    ///
    /// # Errors
    /// When it can only be read, or cannot be reached any more.
    pub async fn check_writable(&self) -> Result<(), OpenError> {
        let can_only_be_read = self.read("whether the server can be written", |connection| {
            let sql = match connection {
                AnyConnection::Sqlite(_) => return Ok(false),
                AnyConnection::Postgres(_) => {
                    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::BOOLEAN"
                }
            };
            Ok(diesel::dsl::sql::<Bool>(sql).get_result(connection)?)
        });
        match can_only_be_read.await {
            Ok(false) => Ok(()),
            Ok(true) => Err(OpenError::standby(self.url())),
            Err(error) => Err(OpenError::Failed {
                url: self.url().clone(),
                reason: error_chain(&error).into(),
            }),
        }
    }

    /// Lets no connection be used again that was opened before a silence of the server, which lasts until now.
    pub(crate) fn distrust_connections(&self, silence: Duration) {
        self.silence.note(silence);
    }

    /// The key with which an SQLite file is encrypted.
    pub fn file_key(&self) -> Option<&DatabaseKey> {
        self.key.as_ref()
    }

    /// How free texts are stored.
    pub(crate) fn free_text(&self) -> &FreeText {
        &self.free_text
    }

    /// The same database, on which registrations and failed messages record these events.
    #[must_use]
    pub fn recording(mut self, events: UserEventKinds) -> Self {
        self.events = events;
        self
    }

    /// Which events are recorded.
    pub(crate) fn events(&self) -> UserEventKinds {
        self.events
    }

    /// The same database, with a key from elsewhere for the ids of erased users. Without one, the
    /// database keeps a key itself.
    #[must_use]
    pub fn suppressing(mut self, key: SuppressionKey) -> Self {
        self.suppression_key = KeySource::given(key);
        self
    }

    /// Where the key for the ids of erased users is.
    pub(crate) fn suppression_key(&self) -> &KeySource {
        &self.suppression_key
    }

    /// The same database, which registers users who are known only from messages to a business account,
    /// or does not. By default it does not, because they never spoke to the bot.
    #[must_use]
    pub fn registering_business_customers(mut self, registers: bool) -> Self {
        self.registers_business_customers = registers;
        self
    }

    /// Whether users are registered who are known only from messages to a business account.
    pub(crate) fn registers_business_customers(&self) -> bool {
        self.registers_business_customers
    }
}
