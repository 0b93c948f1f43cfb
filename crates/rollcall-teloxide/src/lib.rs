#![doc = include_str!("../README.md")]

mod bot;
mod listener;
mod recorder;
mod request;

pub use bot::RecordedBot;
pub use listener::Listener;
pub use recorder::{Recorder, Registered};
pub use request::{RecordedRequest, Recording};
