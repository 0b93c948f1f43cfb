//! Settings of a simulator, and starting it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::instance::Simulator;
use crate::http::server;
use crate::people::Person;
use crate::telegram::{Setup, Telegram};

impl Simulator {
    /// Starts with the default settings, on a free port of this machine.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Settings that can be changed before the start.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// The settings of a [`Simulator`].
#[derive(Clone, Debug)]
#[must_use = "start() starts the simulator"]
pub struct Builder {
    setup: Setup,
}

impl Default for Builder {
    fn default() -> Self {
        let bot = Person::new(123_456_789, "Rollcall").username("rollcall_bot").bot();
        let setup = Setup {
            token: simulated_token(bot.id),
            bot,
            first_update_id: 500_000_001,
            first_message_id: 1,
            every_kind_allowed: false,
            get_me_omits: vec![],
            lacking_methods: vec![],
            strict_chats: true,
            record_limit: 10_000,
            wait_timeout: Duration::from_secs(10),
            webhook_retry: Duration::from_millis(50),
        };
        Self { setup }
    }
}

impl Builder {
    /// The bot's id, with which its token begins.
    pub fn bot_id(mut self, id: i64) -> Self {
        self.setup.bot.id = id;
        self.setup.token = simulated_token(id);
        self
    }

    /// The bot's username.
    pub fn bot_username(mut self, username: impl Into<String>) -> Self {
        self.setup.bot.username = Some(username.into());
        self
    }

    /// The bot's token. If it begins with an id, that is the bot's id.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.setup.token = token.into();
        let id = self.setup.token.split(':').next().and_then(|id| id.parse().ok());
        self.setup.bot.id = id.unwrap_or(self.setup.bot.id);
        self
    }

    /// The id of the first update, by default 500000001. A second simulator in one test continues
    /// with the [`Simulator::next_update_id`] of the first one.
    pub fn first_update_id(mut self, id: i64) -> Self {
        self.setup.first_update_id = id;
        self
    }

    /// The id of the first message, by default 1.
    pub fn first_message_id(mut self, id: i64) -> Self {
        self.setup.first_message_id = id;
        self
    }

    /// Allows every kind of update, so that a test may push any kind before the bot asks for it.
    pub fn every_kind_allowed(mut self) -> Self {
        self.setup.every_kind_allowed = true;
        self
    }

    /// Omits a field from getMe's result: some other Bot API servers omit `is_bot`.
    pub fn get_me_without(mut self, field: &str) -> Self {
        self.setup.get_me_omits.push(field.to_owned());
        self
    }

    /// Does not support a method, like some other Bot API servers.
    pub fn without_method(mut self, method: &str) -> Self {
        self.setup.lacking_methods.push(method.to_lowercase());
        self
    }

    /// Lets the bot write to people who have never written to it.
    pub fn every_chat_open(mut self) -> Self {
        self.setup.strict_chats = false;
        self
    }

    /// How many calls and how many messages are recorded, by default 10000; 0 for load tests.
    pub fn record_limit(mut self, limit: usize) -> Self {
        self.setup.record_limit = limit;
        self
    }

    /// After how long the waiting methods fail, by default ten seconds.
    pub fn wait_timeout(mut self, timeout: Duration) -> Self {
        self.setup.wait_timeout = timeout;
        self
    }

    /// The delay before a refused webhook delivery is retried, by default 50 ms. It doubles with
    /// each retry, up to five seconds.
    pub fn webhook_retry(mut self, delay: Duration) -> Self {
        self.setup.webhook_retry = delay;
        self
    }

    /// Starts on a free port of this machine.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start(self) -> io::Result<Simulator> {
        self.start_on(TcpListener::bind(("127.0.0.1", 0)).await?)
    }

    /// Starts on a listener. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// If the listener has no local address.
    pub fn start_on(self, listener: TcpListener) -> io::Result<Simulator> {
        let address = listener.local_addr()?;
        let telegram = Arc::new(Telegram::new(self.setup));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&telegram)));
        Ok(Simulator::new(telegram, address, server))
    }
}

fn simulated_token(bot_id: i64) -> String {
    format!("{bot_id}:SIMULATED-0123456789abcdefghijklmno")
}
