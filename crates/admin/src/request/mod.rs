//! What a request has to pass before a handler sees it, and what handlers read from it.

mod address;
mod admission;
pub(crate) mod cookie;
mod device;
mod empty_fields;
mod events;
pub(crate) mod form_token;
mod forwarded;
mod headers;
mod query_string;
mod rate_limiter;

pub(crate) use address::Address;
pub(crate) use admission::admit;
pub(crate) use device::{ClientDevice, remember_device};
pub(crate) use empty_fields::leave_out as leave_out_empty_fields;
pub(crate) use events::{EVENTS, asks_for_events};
pub use forwarded::{ForwardedHeader, client_address};
pub(crate) use headers::{refuse_forged_requests, set_headers};
pub(crate) use query_string::{query_string, value};
pub(crate) use rate_limiter::RateLimiter;
