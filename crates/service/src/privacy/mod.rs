//! What people can ask about their own data: a copy of it, and to be erased.

mod copy;
mod payload;
mod requests;
#[cfg(feature = "admin")]
mod user;

pub use copy::{PersonalDataService, UserCopy};
pub use requests::{PrivacyRequestService, RequestId};
#[cfg(feature = "admin")]
pub use user::{CopyRequest, EraseError, PrivacyService};
