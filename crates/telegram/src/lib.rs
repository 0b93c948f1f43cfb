//! Rollcall's adapter to the Telegram Bot API: updates in, messages out.
//!
//! [`Bot::connect`] asks Telegram for the bot's name; [`Bot::poll`] then takes updates by long polling,
//! registers their users, and passes commands and buttons to a [`Handler`]. For a webhook,
//! [`Bot::receiver`] takes the updates, and [`Bot::set_webhook`] has Telegram deliver them. An update
//! is acknowledged only after what it changed is durable. The [`Outbox`] sends messages within
//! Telegram's limits.
//!
//! To add a kind of update: its name and meaning in `update/kinds.rs`.
//!
//! Architecture invariants: this crate knows no command except `/start`, whose argument is the payload
//! of a deep link. Neither the token nor anything that a user wrote is ever logged.

mod api_url;
mod backoff;
mod bot;
mod client;
mod clock;
mod command;
mod destination;
mod error;
mod handler;
mod in_use;
mod ingest;
mod intake;
mod lanes;
mod lossy;
mod outbox;
mod own_name;
mod poll;
mod proxy;
mod refusals;
mod slots;
mod stream;
mod token;
mod trouble;
mod update;
mod webhook;

pub use api_url::{ApiUrl, InvalidApiUrl};
pub use bot::{Bot, Settings};
pub use client::{CallError, Client};
pub use clock::ClockDifference;
pub use command::Command;
pub use destination::{Destination, MessagePlace, Topic};
pub use error::BotError;
pub use handler::{Handler, Request};
pub use intake::Intake;
pub use outbox::{Content, Outbox, SendError};
pub use proxy::{InvalidProxyUrl, ProxyUrl};
pub use token::{BotToken, InvalidToken};
pub use trouble::{chain, patiently};
pub use update::{ButtonPress, CommandMessage, Reread, reread};
pub use webhook::{
    InvalidWebhookSecret, InvalidWebhookUrl, NotTaken, Receiver, Webhook, WebhookSecret, WebhookUrl,
};
