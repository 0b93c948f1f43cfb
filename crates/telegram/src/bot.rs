use std::{collections::BTreeSet, sync::Arc};

use rollcall_domain::{Clock, InvalidTelegramId, TelegramId};
use rollcall_service::{ServiceError, UserService};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use crate::{
    client::{CallError, Client},
    handler::Handler,
    ingest::Ingest,
    menu, poll,
    token::{ApiUrl, BotToken},
    trouble::{Trouble, chain},
    update,
    webhook::{Receiver, Webhook, WebhookSecret},
};

/// How many updates Telegram may bring at once by webhook; its own default.
const WEBHOOK_CONNECTIONS: u32 = 40;

/// What a bot needs to know to talk to Telegram.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bot's token.
    pub token: BotToken,
    /// Where the Bot API is.
    pub api_url: ApiUrl,
    /// Who may use the admin commands.
    pub admins: BTreeSet<TelegramId>,
}

/// A bot that Telegram knows.
pub struct Bot {
    client: Client,
    id: TelegramId,
    username: String,
    admins: BTreeSet<TelegramId>,
}

impl Bot {
    /// Asks Telegram who the bot is; once, without trying again.
    ///
    /// # Errors
    /// When Telegram does not accept the token, or cannot be reached.
    pub async fn connect(settings: Settings) -> Result<Self, BotError> {
        let client = Client::new(settings.api_url, settings.token)?;
        let me = client.call::<Me>("getMe", &json!({})).await?;
        Ok(Self {
            client,
            id: me.id.try_into()?,
            username: me.username.unwrap_or_default(),
            admins: settings.admins,
        })
    }

    /// Asks Telegram who the bot is, and goes on asking while it cannot be reached.
    ///
    /// # Errors
    /// When Telegram does not accept the token.
    pub async fn connect_patiently(settings: Settings) -> Result<Self, BotError> {
        let mut trouble = Trouble::new("Telegram cannot be reached");
        loop {
            match Self::connect(settings.clone()).await {
                Err(BotError::Call(error)) if error.may_pass() => {
                    tokio::time::sleep(trouble.meet(&error)).await;
                }
                result => {
                    trouble.end();
                    return result;
                }
            }
        }
    }

    /// The bot's own id.
    pub fn id(&self) -> TelegramId {
        self.id
    }

    /// The bot's username, without the `@`; empty where the server does not tell it.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Takes updates by long polling, registers whom they come from with `users` and answers
    /// commands, until `shutdown` resolves. Then finishes what is under way and confirms it.
    ///
    /// # Errors
    /// When Telegram no longer accepts the token, or `users` has stopped. Everything else is waited
    /// out.
    pub async fn poll(
        &self,
        users: UserService,
        clock: Arc<dyn Clock>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), BotError> {
        let mut shutdown = std::pin::pin!(shutdown);
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            result = self.prepare() => result?,
        }
        let ingest = self.ingest(users, clock);
        log::info!(bot_id = self.id.get(); "ready: @{} takes updates by long polling", self.username);
        poll::run(&self.client, &ingest, shutdown).await
    }

    /// What takes the updates that Telegram brings to the webhook with this secret, registers whom
    /// they come from with `users`, and answers commands.
    pub fn receiver(
        &self,
        users: UserService,
        clock: Arc<dyn Clock>,
        secret: WebhookSecret,
    ) -> Receiver {
        Receiver::new(self.ingest(users, clock), secret)
    }

    /// Tells Telegram to bring updates to `webhook`, as often as it takes, and sets the menus.
    /// Updates may come before this answers.
    ///
    /// # Errors
    /// When Telegram no longer accepts the token, or refuses the webhook.
    pub async fn set_webhook(&self, webhook: &Webhook) -> Result<(), BotError> {
        // Never with drop_pending_updates: what waits is to be answered.
        let parameters = json!({
            "url": webhook.url.as_str(),
            "secret_token": webhook.secret.secret(),
            "allowed_updates": update::allowed_updates(),
            "max_connections": WEBHOOK_CONNECTIONS,
        });
        let set = self.insist("setWebhook", &parameters, "the webhook cannot be set").await;
        set.map_err(|error| match error {
            CallError::Refused { code: 401, .. } => BotError::BadToken(error),
            error => BotError::Webhook(error),
        })?;
        self.set_menus().await;
        Ok(())
    }

    fn ingest(&self, users: UserService, clock: Arc<dyn Clock>) -> Ingest {
        let handler = Handler {
            client: self.client.clone(),
            users: users.clone(),
            admins: self.admins.clone(),
            our_username: self.username.clone(),
        };
        Ingest::new(users, clock, handler)
    }

    /// Tells Telegram that updates are fetched, and sets the menus.
    async fn prepare(&self) -> Result<(), BotError> {
        // Never with drop_pending_updates: what waits is to be answered.
        self.insist("deleteWebhook", &json!({}), "the webhook cannot be deleted")
            .await
            .map_err(BotError::Call)?;
        self.set_menus().await;
        Ok(())
    }

    /// Calls a method until it works or is refused for good; `failure` is what it is meanwhile.
    async fn insist(
        &self,
        method: &'static str,
        parameters: &Value,
        failure: &'static str,
    ) -> Result<(), CallError> {
        let mut trouble = Trouble::new(failure);
        while let Err(error) = self.client.call::<IgnoredAny>(method, parameters).await {
            if !error.may_pass() {
                return Err(error);
            }
            tokio::time::sleep(trouble.meet(&error)).await;
        }
        trouble.end();
        Ok(())
    }

    /// Sets the menus; the bot works without them too.
    async fn set_menus(&self) {
        if let Err(error) = menu::set_for_everybody(&self.client).await {
            log::warn!(error = chain(&error); "the menu was not set");
        }
        for &admin in &self.admins {
            if let Err(error) = menu::set_for_admin(&self.client, admin).await {
                log::warn!(
                    error = chain(&error);
                    "an admin's menu was not set; it is when the admin sends /start"
                );
            }
        }
    }
}

/// What we need of getMe's answer.
#[derive(Deserialize)]
struct Me {
    id: i64,
    username: Option<String>,
}

/// Why a bot stops.
#[derive(Debug, thiserror::Error)]
pub enum BotError {
    /// Telegram does not accept the token.
    #[error(
        "Telegram does not accept the bot token: it is wrong, or was revoked; @BotFather gives a new one"
    )]
    BadToken(#[source] CallError),
    /// Telegram cannot be asked.
    #[error("Telegram cannot be asked")]
    Call(#[source] CallError),
    /// Telegram refuses to bring updates to the webhook.
    #[error("the webhook cannot be set")]
    Webhook(#[source] CallError),
    /// Telegram answered with an id that no account can have.
    #[error("Telegram gave the bot an id that cannot be")]
    InvalidId(#[from] InvalidTelegramId),
    /// Nobody can be registered any more.
    #[error("users can no longer be registered")]
    Service(#[from] ServiceError),
}

impl From<CallError> for BotError {
    fn from(error: CallError) -> Self {
        if error.is_bad_token() { Self::BadToken(error) } else { Self::Call(error) }
    }
}
