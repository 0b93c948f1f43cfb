//! Sessions of admins, and confirming their identity in them.

mod confirm;
mod session;

pub use confirm::Confirmed;
pub(super) use session::LINK_IS_GOOD;
pub use session::{OwnSession, Proof, Session, Standing};
