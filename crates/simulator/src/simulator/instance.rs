//! A running simulator.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::telegram::Telegram;

/// A running Telegram with one bot; dropping it stops it.
pub struct Simulator {
    telegram: Arc<Telegram>,
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// Stopping, and the bot's account and token.
impl Simulator {
    pub(super) fn new(
        telegram: Arc<Telegram>,
        address: SocketAddr,
        server: JoinHandle<()>,
    ) -> Self {
        Self { telegram, address, server }
    }

    /// Stops, and waits until every call is answered or its connection closed.
    pub async fn shutdown(mut self) {
        self.telegram.close();
        if let Err(error) = (&mut self.server).await {
            log::error!("the simulated Telegram's server panicked: {error}");
        }
    }

    /// The URL of the Bot API server, for the bot's settings.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bot's token.
    pub fn token(&self) -> &str {
        &self.telegram.setup.token
    }

    /// The bot's id.
    pub fn bot_id(&self) -> i64 {
        self.telegram.setup.bot.id
    }

    /// The bot's username, without the `@`.
    pub fn bot_username(&self) -> String {
        self.telegram.bot().username.unwrap_or_default()
    }

    /// Changes the bot's username. Telegram does not notify the bot.
    pub fn rename_bot(&self, username: &str) {
        self.telegram.rename_bot(username);
    }

    /// Sets how many seconds Telegram's clock is ahead of this machine's, or behind it. Messages
    /// and responses have the time of this clock.
    pub fn set_clock(&self, ahead_s: i64) {
        self.telegram.set_clock(ahead_s);
    }

    /// Revokes the token: from now on every call is answered with 401.
    pub fn revoke_token(&self) {
        self.telegram.state().revoked = true;
        self.telegram.changed();
    }

    pub(crate) fn telegram(&self) -> &Arc<Telegram> {
        &self.telegram
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.telegram.close();
    }
}
