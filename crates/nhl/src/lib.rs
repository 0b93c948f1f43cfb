//! A client of the NHL's public web API, as far as the schedule needs it.
//!
//! [`Client::week`] asks for the games of a week, and [`Client::scores`] how those of a day stand;
//! [`read_games`] reads what was saved to a file. The API has no contract that anybody keeps, so no
//! more of an answer is required than is used, and each game is read by itself: one that cannot be
//! read is [`Skipped`], and the others are there.
//!
//! Nor does it promise that an answer is complete or final: [`Games::days`] names the days of which
//! nothing is missing, and a state that is not known is judged by the rest of the game.
//!
//! To read one more field: in `game.rs`, and in `Game` of the domain.
//!
//! Architecture invariant: no reqwest type leaves this crate.

mod answer;
mod cache;
mod client;
#[cfg(test)]
mod fixture;
mod game;
mod names;
mod retry;
mod standing;

pub use answer::{Games, Scores, Skipped, Unreadable, read_games};
pub use client::{ApiUrl, Client, FetchError, InvalidApiUrl, Timing};
