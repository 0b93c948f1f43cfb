//! Rollcall's use cases, for bots in Rust.
//!
//! [`UserService`] is what the `bot` binary itself is made of, and what another bot can be given:
//! see `examples/register.rs`. [`ActivityService`] has the figures about all of them. They do no I/O
//! of their own, and read no clock but the one they are given: storage is whatever implements
//! [`UserRepository`](rollcall_repository::UserRepository) and
//! [`ActivityRepository`](rollcall_repository::ActivityRepository).
//!
//! To add a use case: a method of the service that speaks in the domain's types, over a method of
//! a repository trait.

mod activity;
mod error;
mod queue;
mod users;

pub use activity::{
    Activity, ActivityService, Cohort, Count, DayFigures, DayRange, InvalidDayRange,
    LifecycleCounts, MAX_LABELS, MonthFigures, Share, SourceFigures, WeekFigures,
};
pub use error::ServiceError;
pub use rollcall_repository::{Difference, Page, PageRequest};
pub use users::UserService;
