use std::time::Duration;

use rollcall_domain::Backoff;

/// The delays between attempts at Telegram and the database: half a second at most, then up to a
/// minute.
pub(crate) fn backoff() -> Backoff {
    Backoff::new(Duration::from_millis(500), Duration::from_secs(60))
}
