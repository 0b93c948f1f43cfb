//! Sessions: signing in and out, proving one's identity again, and which routes a session may have.

mod access;
pub(crate) mod confirm;
pub(crate) mod mini_app;
pub(crate) mod next_page;
pub(crate) mod passkey_site;
mod refusal;
pub(crate) mod session_cookie;
pub(crate) mod sign_in;

pub use access::Access;
pub(crate) use access::check_access;
pub(crate) use refusal::Refusal;
