//! People who act at random: a few for a demonstration, or thousands for a load test.

mod actions;
mod config;
mod run;

pub use config::Crowd;
pub use run::{CrowdHandle, CrowdReport};
