use std::sync::Arc;

use rollcall_domain::{Clock, SystemClock};
use rollcall_repository::BotRepository;
use rollcall_repository_diesel::DieselBotRepository;
use rollcall_service::ServiceError;
use rollcall_telegram::{Bot, BotToken, Router, Settings};

use crate::{error::Error, rollcall::Rollcall};

/// Telegram's own server.
const API_URL: &str = "https://api.telegram.org";
/// Telegram's limit for all messages of a bot.
const SEND_RATE: u32 = 30;

/// How to connect to Telegram.
#[derive(Clone, Debug)]
pub struct Telegram(Settings);

impl Telegram {
    /// A bot with this token, at Telegram's own server.
    ///
    /// # Errors
    /// [`Error::Bot`] if it is not a token. The error does not show it.
    pub fn new(token: &str) -> Result<Self, Error> {
        let token: BotToken = token.trim().parse().map_err(|error| Error::Bot(Box::new(error)))?;
        let api_url = API_URL.parse().map_err(|error| Error::Bot(Box::new(error)))?;
        Ok(Self(Settings { token, api_url, proxy: None, send_rate: SEND_RATE }))
    }

    /// Uses another server of the Bot API, such as `http://127.0.0.1:8081`.
    ///
    /// # Errors
    /// [`Error::Bot`] if it is not the URL of one.
    pub fn api_url(mut self, url: &str) -> Result<Self, Error> {
        self.0.api_url = url.parse().map_err(|error| Error::Bot(Box::new(error)))?;
        Ok(self)
    }
}

impl Rollcall {
    /// Runs a bot by long polling until `shutdown` resolves: registers the user of each update, and has
    /// `router` answer it. An update is acknowledged to Telegram after its user is on the disk.
    ///
    /// It deletes a webhook of the bot, because Telegram delivers updates in one way only. It waits out
    /// trouble of Telegram and the database.
    ///
    /// # Errors
    /// [`Error::Bot`] if Telegram does not accept the token, or if the database belongs to another bot;
    /// [`Error::Closed`].
    pub async fn run(
        &self,
        telegram: Telegram,
        router: Router,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let users = self.open_inner()?.users.clone();
        let failed = |error| Error::Bot(Box::new(error));
        let mut shutdown = std::pin::pin!(shutdown);
        let connect = Bot::connect_with_retries(telegram.0, Arc::new(SystemClock));
        let bot = tokio::select! {
            () = &mut shutdown => return Ok(()),
            bot = connect => bot.map_err(failed)?,
        };
        let bots = DieselBotRepository::new(self.open_inner()?.database.clone());
        let owner = bots.claim(bot.id(), SystemClock.now()).await;
        let owner = owner.map_err(ServiceError::from)?;
        if owner != bot.id() {
            let reason = format!("the database belongs to the bot with the id {owner}");
            return Err(Error::Bot(reason.into()));
        }
        let handler = router.handler(&bot, users.clone());
        bot.poll(users, handler, None, shutdown).await.map_err(failed)
    }
}
