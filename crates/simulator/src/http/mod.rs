//! HTTP: the Bot API's server, its connections, and the client that delivers to webhooks.

pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod server;
