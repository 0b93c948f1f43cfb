//! Who may use the web admin: accounts, signing in, sessions, links by Telegram, and the audit log.

mod account;
mod attempt;
mod log;
mod secret;
mod service;
mod session;
mod sign_in;
mod throttle;

pub use account::AccountError;
pub use secret::{LinkToken, SessionToken};
pub use service::AdminService;
pub use session::Session;
pub use sign_in::{SignIn, SignInError};
