//! What an attacker can try over the network, against the real bot. Every flood is bounded, and
//! goes to this machine.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[macro_use]
#[path = "../running/mod.rs"]
mod running;

mod alerts;
mod bodies;
mod connections;
mod dot_env;
mod exposure;
mod known_devices;
mod made_up;
mod replies;
mod server;
mod sign_in;
mod sources;
