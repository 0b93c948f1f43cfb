//! Broadcasts that owners compose and watch in their chat with the bot: `/broadcast`.
//!
//! The steps: choosing the users (`audience.rs`), the message (`compose.rs`), the draft (`draft.rs`, with
//! `outlook.rs`, `times.rs` and `speed.rs`), and how far it is (`progress.rs`, `watch.rs`). `press.rs` has the effects of the buttons.

mod action;
mod audience;
mod buttons;
mod compose;
mod draft;
#[cfg(test)]
mod example;
mod outlook;
mod press;
mod progress;
mod speed;
mod times;
mod watch;
mod words;

pub(crate) use action::BroadcastAction;
