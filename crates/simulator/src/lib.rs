//! Plays Telegram: a Bot API server over HTTP, with people who write, press buttons and block.
//!
//! It is used by tests that run the real bot against it, by `bot --demo`, and for load and fault
//! tests. A test reads as a story:
//!
//! ```no_run
//! use std::process::Command;
//!
//! use rollcall_simulator::{Person, Simulator};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let telegram = Simulator::start().await?;
//! let mut bot = Command::new("bot")
//!     .env("TELEGRAM_API_URL", telegram.url())
//!     .env("TELEGRAM_BOT_TOKEN", telegram.token())
//!     .spawn()?;
//!
//! let ann = Person::new(42, "Ann").username("ann").language_code("en");
//! let update = telegram.write(&ann, "/start");
//! telegram.wait_until_confirmed(update).await?;
//! let answer = telegram.wait_for_message(ann.id).await?;
//! assert!(answer.text.contains("Ann"));
//!
//! telegram.press(&ann, &answer, "schedule:next");
//! telegram.wait_for_edit(&answer).await?;
//! bot.kill()?;
//! # Ok(())
//! # }
//! ```
//!
//! What it takes from the real thing is what a bot can notice: which updates are queued, confirmed
//! and repeated, who can be written to and where (topics, direct messages of channels, groups that
//! became supergroups), which texts are refused and in which words. What it leaves out: files,
//! markup other than HTML, and rate limits unless a [`Fault`] asks for one.
//!
//! [`NhlApi`] plays the NHL's web API in the same way, for the schedule.
//!
//! # To add
//!
//! - a method of the Bot API: in `methods.rs`;
//! - a kind of update: a constructor in `updates.rs`, and its name in [`UPDATE_KINDS`];
//! - a fault: a variant of [`Fault`], and what it does to an answer in `server.rs`.

#[cfg(test)]
mod bot;
mod chance;
mod clock;
mod crowd;
mod exchange;
mod fault;
mod http;
mod markup;
mod methods;
mod names;
mod nhl;
mod params;
mod people;
mod places;
mod queue;
mod record;
mod refusal;
mod server;
mod simulator;
mod telegram;
mod updates;
mod webhook;
mod wire;

pub use crowd::{Crowd, CrowdHandle, CrowdReport};
pub use exchange::Exchange;
pub use fault::Fault;
pub use nhl::{NhlApi, NhlGame, NhlRequest};
pub use people::{Chat, ChatKind, Person};
pub use queue::UPDATE_KINDS;
pub use record::{Button, Request, SentMessage};
pub use simulator::{Builder, NotSeen, Simulator};
pub use updates::Update;
