//! Signing in: by password or link, with limits on failed attempts.

mod attempt;
mod lasting_link;
mod sign_in;
mod throttle;
mod watch;

pub(super) use attempt::Attempt;
pub use attempt::SignInError;
pub use lasting_link::LastingLink;
pub use sign_in::SignIn;
pub(super) use throttle::Throttle;
pub(super) use watch::Watch;
