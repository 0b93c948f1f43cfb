//! Signing in: by password or link, with limits on failed attempts.

mod attempt;
mod sign_in;
mod throttle;
mod watch;

pub(super) use attempt::Attempt;
pub use attempt::SignInError;
pub use sign_in::SignIn;
pub(super) use throttle::Throttle;
pub(super) use watch::Watch;
