//! The clock of the simulated Telegram.

use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's time in seconds since 1970, as Telegram writes it; 0 if the clock is set before that.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator stands for an outside party with its own clock; only this function reads it"
)]
pub(crate) fn unix_now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
}
