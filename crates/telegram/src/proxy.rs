//! A Bot API server for the bot behind: it calls the methods here, and each goes on to Telegram.
//!
//! The methods that are about updates are answered here: `updates`. All others pass as they are: `pass`.
//! Those that send something wait for their turn in the outbox: `sending`. Rollcall learns from the errors
//! that come back: `learn`.
//!
//! Requests and files stream through. Only what is small is read.

mod body;
mod learn;
mod params;
mod pass;
mod response;
mod route;
mod sending;
mod server;
mod updates;

pub use server::ApiProxy;
