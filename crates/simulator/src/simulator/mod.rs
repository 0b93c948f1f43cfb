//! The interface for tests: a running Telegram.

mod builder;
mod faults;
mod instance;
mod people;
mod records;
mod wait;

pub use builder::Builder;
pub use instance::Simulator;
pub use wait::WaitError;
