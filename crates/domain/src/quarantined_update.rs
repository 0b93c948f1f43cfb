use chrono::{DateTime, Utc};

use crate::TelegramId;

/// An update that could not be read in full, kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedUpdate {
    /// The Bot API's `update_id`.
    pub update_id: i64,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// What is wrong with it, in words that quote nobody.
    pub reason: String,
    /// Whether somebody was recognised in it all the same, and registered.
    pub registered: bool,
    /// Who was recognised in it, so that it goes with that person.
    pub telegram_id: Option<TelegramId>,
    /// Its JSON. Holds what people wrote.
    pub payload: String,
}
