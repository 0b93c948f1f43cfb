use chrono::{DateTime, Utc};

use crate::{LabelName, StartPayload};

/// What a deep link counted as when a user came by it. That is decided at that moment and kept with
/// the fact, so that a recount reads what was decided and has nothing to decide again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceLabel {
    /// The link had the label of this number. No two labels ever have one number, not even those
    /// that one link has after another.
    Own(u32),
    /// The link had no label of its own.
    Other,
}

/// A deep link that has a label, so that it has figures of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledSource {
    /// The payload of the link.
    pub payload: StartPayload,
    /// Whether it is on the owner's list; if not, it has earned its label by bringing a user.
    pub is_listed: bool,
    /// The tag that users get who open it.
    pub tag: Option<LabelName>,
    /// Since when it has the label; `None` where that is from before this was recorded.
    pub since: Option<DateTime<Utc>>,
    /// How many users came by it since then.
    pub users: u64,
    /// How often somebody started the bot by it since then.
    pub starts: u64,
}
