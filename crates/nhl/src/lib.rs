//! A client for the schedule in the NHL's public web API.
//!
//! [`Client::week`] fetches the games of a week, and [`Client::scores`] the scores of a day.
//! [`read_games`] parses a saved response. The API has no documented contract, so only the fields in
//! use are required, and each game is parsed separately: an invalid game is [`Skipped`].
//!
//! A response may be incomplete or preliminary. [`Games::days`] names the complete days, and an
//! unknown state is inferred from the other fields of the game.
//!
//! To read another field: add it in `game.rs` and to `Game` in the domain.
//!
//! Architecture invariant: no reqwest type leaves this crate.

mod cache;
mod client;
#[cfg(test)]
mod fixture;
mod game;
mod names;
mod response;
mod retry_after;
mod state;

pub use client::{ApiUrl, Client, FetchError, InvalidApiUrl, Timing};
pub use response::{Games, Scores, Skipped, Unreadable, read_games};
