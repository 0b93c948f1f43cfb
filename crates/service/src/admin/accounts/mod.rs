//! The accounts of admins: their passwords, roles and invitations.

mod account;
mod common_password;
mod invitation;
mod new_password;
mod password;

pub use account::{AccountError, PasswordError};
pub use invitation::{Invitation, InvitationError, InvitationLife};
pub use new_password::InvalidPassword;
pub(super) use password::Passwords;
