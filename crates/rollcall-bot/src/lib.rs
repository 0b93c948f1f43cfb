#![doc = include_str!("../README.md")]
//! # What is stable
//!
//! This crate is the way for other programs into Rollcall. Its public items follow semantic
//! versioning, also those that are defined in `rollcall-domain` and shown here. The other crates,
//! which it depends on, may change with every version: do not name them.

#[cfg(feature = "admin")]
mod admin;
#[cfg(feature = "bot")]
mod bot;
mod error;
mod inner;
mod options;
mod rollcall;
mod users;

#[cfg(feature = "admin")]
pub use admin::AdminOptions;
#[cfg(feature = "bot")]
pub use bot::Telegram;
pub use error::Error;
pub use options::Options;
pub use rollcall::Rollcall;
pub use rollcall_domain::{
    InvalidTelegramId, Profile, Reachability, Registration, StartPayload, TelegramId,
    TelegramUser as User, UnreachableReason, UserStats as Stats, Username,
};
#[cfg(feature = "bot")]
pub use rollcall_telegram::{Context, HandlerError, Reply, Router, SendError};
pub use rollcall_telegram::{Outcome, TakenUpdate, update_kinds};
pub use users::Users;
