use chrono::{DateTime, Utc};

use crate::TelegramId;

/// An update that could not be read in full, or whose row the database refused. It is stored
/// without the texts in it, unless the bot behind is to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedUpdate {
    /// The Bot API's `update_id`.
    pub update_id: i64,
    /// When the bot received it.
    pub received_at: DateTime<Utc>,
    /// What is wrong with it. Never quotes text that users wrote.
    pub reason: String,
    /// Whether a user could still be recognised in it and was registered.
    pub registered: bool,
    /// The user recognised in it; erasing the user deletes this row too.
    pub telegram_id: Option<TelegramId>,
    /// Its JSON: as received if `undelivered`, else with the length of each text that registration does not
    /// read in its place.
    pub payload: String,
    /// Whether the bot behind did not accept it.
    pub undelivered: bool,
}
