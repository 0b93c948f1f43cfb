//! How the activity of one user adds to the figures about all users.
//!
//! Every figure is a sum over the users. A registration therefore needs only the user's own active
//! days around the new one, and several writers can add in any order. What one user adds follows
//! from pairs of successive active days: a day recorded between two others replaces their pair by
//! two pairs. A recount adds the same pairs, one user after the other.

mod calendar;
mod facts;
mod figure;
mod hour;
mod label;
mod latest_day;
mod lifecycle;
mod origin;
mod sums;
#[cfg(test)]
mod tests;

pub use calendar::{month, week};
pub use facts::{Facts, add_reachability_change, add_start};
pub use figure::Figure;
pub use hour::{ActiveDay, Hour, add_first_hour, earlier_hour};
pub use label::Label;
pub use latest_day::LatestDay;
pub use lifecycle::Lifecycle;
pub use origin::{Neighbours, Origin};
pub use sums::Sums;
