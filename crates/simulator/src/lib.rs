//! Simulates Telegram: a Bot API server over HTTP, and people who write, press buttons and block.
//!
//! Tests run the real bot against it, and so do `bot --demo` and the load tests. A test:
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
//! It simulates what a bot can observe: which updates are queued, confirmed and repeated; which
//! chats the bot can write to, including topics, direct messages of channels and groups that became
//! supergroups; which texts are refused, in which words; and copies of messages. It does not simulate
//! files, which are only ids, markup other than HTML, or rate limits, unless a [`Fault`] is one.
//!
//! For broadcasts, [`Simulator::messages_per_chat`] counts messages. Faults can hit every nth call
//! ([`Simulator::fail_every`]) or come at a given time ([`Simulator::fail_after`]). A share of all
//! people can have blocked the bot ([`Simulator::block_share`]), and texts and files can be refused
//! ([`Simulator::refuse_text`], [`Simulator::lose_file`]).
//!
//! [`NhlApi`] simulates the NHL's web API in the same way, for the schedule.
//!
//! # How to extend it
//!
//! - A method of the Bot API: in `methods`.
//! - A kind of update: a constructor in `update`, and its name in [`UPDATE_KINDS`].
//! - A fault: a variant of [`Fault`], and its effect on a response in `http/server.rs`.

mod api_error;
#[cfg(test)]
mod bot;
mod chat_event;
mod clock;
mod crowd;
mod fault;
mod files;
mod http;
mod markup;
mod messages;
mod methods;
mod names;
mod nhl;
mod originals;
mod params;
mod people;
mod places;
mod queue;
mod record;
mod refusals;
mod simulator;
mod state;
mod telegram;
mod update;

pub use chat_event::ChatEvent;
pub use crowd::{Crowd, CrowdHandle, CrowdReport};
pub use fault::Fault;
pub use nhl::{NhlApi, NhlGame, NhlRequest};
pub use people::{Chat, ChatKind, Person};
pub use queue::UPDATE_KINDS;
pub use record::{Button, Request, SentMessage};
pub use simulator::{Builder, Simulator, WaitError};
pub use update::Update;
