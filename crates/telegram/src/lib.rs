//! Rollcall's adapter to the Telegram Bot API: updates in, messages out.
//!
//! [`Bot::connect`] asks Telegram for the bot's name; [`Bot::poll`] then takes updates by long polling,
//! registers their users, and passes commands and buttons to a [`Handler`]. For a webhook,
//! [`Bot::receiver`] takes the updates, and [`Bot::set_webhook`] has Telegram deliver them. An update
//! is acknowledged only after what it changed is durable. The [`Outbox`] sends messages within
//! Telegram's limits.
//!
//! The files, from the wire inwards: `client` calls the Bot API, `poll` and `webhook` take updates,
//! `update` reads them, `ingest` registers their users and queues their commands, and `outbox` sends.
//!
//! [`Intake`] registers the users of updates that another program received, without any connection to
//! Telegram.
//!
//! To add a kind of update: its name and meaning in `update/kinds.rs`.
//!
//! Architecture invariants: this crate knows no button, and no command except `/start`, whose argument
//! is the payload of a deep link. Neither the token nor anything that a user wrote is ever logged.

mod behind;
mod bot;
mod broadcasts;
mod client;
mod error;
mod handler;
mod in_use;
mod ingest;
mod intake;
mod json;
mod outbox;
mod poll;
mod readiness;
mod retry;
mod update;
mod webhook;

pub use behind::{
    Failure as ForwardFailure, ForwardSecret, ForwardUrl, Forwarding, InvalidForwardSecret,
    InvalidForwardUrl, RedeliveryError, redeliver,
};
pub use bot::{Bot, Settings};
pub use broadcasts::{ButtonData, OutboxMessenger};
pub use client::{
    ApiUrl, BotToken, CallError, Client, ClockDifference, InvalidApiUrl, InvalidProxyUrl,
    InvalidToken, ProxyUrl,
};
pub use error::BotError;
pub use handler::{Handler, Request};
pub use intake::{Intake, IntakeError, InvalidUpdates, MAX_UPDATES, Outcome, TakenUpdate};
pub use outbox::{
    BulkError, BulkMessage, BulkOptions, BulkPace, Content, DataButton, Destination, MessagePlace,
    Original, Outbox, SendError, Topic, bulk_rate,
};
pub use readiness::Readiness;
pub use retry::retry;
pub use update::{
    ButtonPress, Command, CommandMessage, NotCopied, PrivateMessage, Reread, TextMessage, reread,
};
pub use webhook::{
    InvalidWebhookSecret, InvalidWebhookUrl, NotStored, Receiver, Webhook, WebhookSecret,
    WebhookUrl,
};
