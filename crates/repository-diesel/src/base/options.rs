//! What an owner chooses about a database.

use rollcall_domain::UserEventKinds;

use super::{
    database::Database,
    suppression_key::{KeySource, SuppressionKey},
};

impl Database {
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
