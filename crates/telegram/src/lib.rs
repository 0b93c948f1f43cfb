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
//!
//! Without the feature `client`, only [`Intake`] and [`reread`] are left, which need no connection.

#![cfg_attr(
    not(feature = "client"),
    allow(
        dead_code,
        rustdoc::broken_intra_doc_links,
        reason = "what is read for the answers of a bot is not used"
    )
)]

#[cfg(feature = "client")]
mod behind;
#[cfg(feature = "client")]
mod bot;
#[cfg(feature = "client")]
mod broadcasts;
#[cfg(feature = "client")]
mod client;
mod dating;
mod destination;
#[cfg(feature = "client")]
mod error;
#[cfg(feature = "client")]
mod handler;
#[cfg(feature = "client")]
mod in_use;
#[cfg(feature = "client")]
mod ingest;
mod intake;
mod json;
#[cfg(feature = "client")]
mod outbox;
#[cfg(feature = "client")]
mod poll;
#[cfg(feature = "client")]
mod proxy;
#[cfg(feature = "client")]
mod readiness;
mod registrar;
#[cfg(feature = "client")]
mod retry;
#[cfg(feature = "client")]
mod router;
mod update;
#[cfg(feature = "client")]
mod webhook;

#[cfg(feature = "client")]
pub use behind::{
    Behind, Failure as ForwardFailure, ForwardSecret, ForwardUrl, Forwarding, InvalidForwardSecret,
    InvalidForwardUrl, RedeliveryError, redeliver,
};
#[cfg(feature = "client")]
pub use bot::{Bot, Settings};
#[cfg(feature = "client")]
pub use broadcasts::{ButtonData, OutboxMessenger};
#[cfg(feature = "client")]
pub use client::{
    ApiUrl, BotToken, CallError, Client, ClockDifference, InvalidApiUrl, InvalidProxyUrl,
    InvalidToken, ProxyUrl,
};
pub use destination::{Destination, MessagePlace, Topic};
#[cfg(feature = "client")]
pub use error::BotError;
#[cfg(feature = "client")]
pub use handler::{Handler, Request};
pub use intake::{Intake, IntakeError, InvalidUpdates, MAX_UPDATES, Outcome, TakenUpdate};
#[cfg(feature = "client")]
pub use outbox::{
    BulkError, BulkMessage, BulkOptions, BulkPace, Content, DataButton, Document, Original, Outbox,
    SendError, SentMessage, bulk_rate,
};
#[cfg(feature = "client")]
pub use proxy::ApiProxy;
#[cfg(feature = "client")]
pub use readiness::Readiness;
#[cfg(feature = "client")]
pub use retry::retry;
#[cfg(feature = "client")]
pub use router::{Context, HandlerError, Reply, Router};
pub use update::{
    ButtonPress, Command, CommandMessage, NotCopied, PrivateMessage, Reread, TextMessage, reread,
    update_kinds, without_texts,
};
#[cfg(feature = "client")]
pub use webhook::{
    InvalidWebhookSecret, InvalidWebhookUrl, NotStored, Receiver, Webhook, WebhookSecret,
    WebhookUrl,
};
