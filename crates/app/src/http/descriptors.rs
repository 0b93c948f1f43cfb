//! How many files and connections the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for the database, Telegram, log files and exports.
const FOR_OTHERS: u64 = 256;
/// More connections than this are of no use to a bot and its admin, and each takes memory.
const MOST: usize = 4096;

/// Raises the soft limit of open files to the hard one, as servers do: the soft one is often 1,024
/// for the sake of programs that use select(2). Returns how many connections may be open at once.
pub(crate) fn room_for_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(error) => {
            log::debug!(error:% = error; "cannot raise the limit of open files");
            limit.current
        }
    };
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(FOR_OTHERS).max(files / 2));
    usize::try_from(room).map_or(MOST, |room| room.clamp(1, MOST))
}
