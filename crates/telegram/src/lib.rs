//! Rollcall's adapter to the Telegram Bot API: updates in, commands, messages out.
//!
//! [`Bot::connect`] asks Telegram who the bot is; [`Bot::poll`] then takes updates, registers whom
//! they come from, and answers commands. Where Telegram is to bring updates itself,
//! [`Bot::receiver`] takes them, and [`Bot::set_webhook`] tells Telegram where to. An update is
//! confirmed to Telegram only after what it changed is durable.
//!
//! To add a command: a variant of `Command` in `command.rs`, what it answers in `handler.rs`, and
//! its line in `menu.rs`. To add a button: a variant of `Action` in `action.rs`, and what it does in
//! `press.rs`. To add a kind of update: its name and meaning in `update.rs`. Texts are in `locales/`.
//!
//! Architecture invariants: no frankenstein type leaves this crate, and neither the token nor
//! anything that a person wrote is ever logged. What only a person or only an owner may see is sent
//! to that person's id (`audience.rs`).

mod action;
mod alerts;
mod api_url;
mod audience;
mod backoff;
mod bot;
mod client;
mod clock;
mod command;
mod destination;
mod error;
mod handler;
mod ingest;
mod intake;
mod lanes;
mod locale;
mod lossy;
mod menu;
mod outbox;
mod own_name;
mod poll;
mod press;
mod proxy;
mod refusals;
mod reply;
mod schedule;
mod settings_menu;
mod slots;
mod stream;
mod text;
mod token;
mod trouble;
mod update;
mod webhook;

pub use api_url::{ApiUrl, InvalidApiUrl};
pub use bot::{AdminSite, Bot, Services, Settings};
pub use client::CallError;
pub use clock::ClockDifference;
pub use error::BotError;
pub use intake::Intake;
pub use proxy::{InvalidProxyUrl, ProxyUrl};
pub use token::{BotToken, InvalidToken};
pub use update::{Reread, reread};
pub use webhook::{
    InvalidWebhookSecret, InvalidWebhookUrl, NotTaken, Receiver, Webhook, WebhookSecret, WebhookUrl,
};
