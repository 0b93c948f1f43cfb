//! Signing in: by password, link or Mini App, with limits on failed attempts.

mod attempt;
mod lasting_link;
mod mini_app;
mod mini_app_data;
mod sign_in;
mod throttle;
mod watch;

pub(super) use attempt::Attempt;
pub use attempt::SignInError;
pub use lasting_link::LastingLink;
pub use mini_app_data::MiniAppKey;
pub use sign_in::SignIn;
pub(super) use throttle::Throttle;
pub(super) use watch::Watch;
