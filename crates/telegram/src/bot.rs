use std::sync::{Arc, Mutex, PoisonError};

use rollcall_domain::{Clock, TelegramId, Username};
use rollcall_service::{Alerts, UserService};
use serde::de::IgnoredAny;
use serde_json::json;

use crate::{
    api_url::ApiUrl,
    client::{Body, CallError, Client},
    clock::{ClockDifference, TelegramClock},
    error::BotError,
    handler::Handler,
    ingest::Ingest,
    intake::Intake,
    outbox::Outbox,
    own_name::{Me, OwnName},
    poll,
    proxy::ProxyUrl,
    token::BotToken,
    trouble::patiently,
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
    /// Through which proxy it is reached; `None` where it is reached directly.
    pub proxy: Option<ProxyUrl>,
    /// How many messages a second may be sent in all; 0 lifts this limit and those of each chat.
    pub send_rate: u32,
}

impl Settings {
    /// Whether the token, which is part of every request's address, travels unencrypted where others
    /// can read it: through a proxy, or to Telegram's own server.
    pub fn is_token_exposed(&self) -> bool {
        let goes_far = match &self.proxy {
            Some(proxy) => !(proxy.is_loopback() && self.api_url.is_loopback()),
            None => self.api_url.is_telegrams(),
        };
        goes_far && !self.api_url.is_https()
    }

    fn client(&self, clock: Arc<dyn Clock>) -> Result<Client, CallError> {
        let clock = TelegramClock::new(clock);
        Client::new(self.api_url.clone(), self.proxy.as_ref(), self.token.clone(), clock)
    }
}

/// A bot that Telegram knows.
pub struct Bot {
    client: Client,
    outbox: Outbox,
    id: TelegramId,
    own_name: OwnName,
    intake: Intake,
    /// A batch that was fetched before polling began.
    first_batch: Mutex<Option<Body>>,
}

impl Bot {
    /// Asks Telegram who the bot is; once, without trying again. `clock` is compared with Telegram's
    /// by what it answers, from then on.
    ///
    /// # Errors
    /// When Telegram does not accept the token, or cannot be reached.
    pub async fn connect(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, BotError> {
        let client = settings.client(clock)?;
        let me = get_me(&client).await?;
        Self::new(client, me, settings.send_rate)
    }

    /// Asks Telegram who the bot is, and goes on asking while it cannot be reached.
    ///
    /// # Errors
    /// When Telegram does not accept the token.
    pub async fn connect_patiently(
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BotError> {
        let client = settings.client(clock)?;
        let me = patiently("Telegram cannot be reached", || get_me(&client)).await?;
        Self::new(client, me, settings.send_rate)
    }

    fn new(client: Client, me: Me, send_rate: u32) -> Result<Self, BotError> {
        Ok(Self {
            outbox: Outbox::new(client.clone(), send_rate),
            id: me.id.try_into()?,
            own_name: OwnName::new(client.clone(), me.username()),
            client,
            intake: Intake::not_yet(),
            first_batch: Mutex::default(),
        })
    }

    /// What calls the Bot API.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// What sends messages.
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// The time by Telegram's clock, as far as it is known.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.client.clock().clone())
    }

    /// Whether updates are being taken.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// How the clock compares with Telegram's; `None` where the server does not tell its time.
    pub fn clock_difference(&self) -> Option<ClockDifference> {
        self.client.clock().difference()
    }

    /// The bot's own id.
    pub fn id(&self) -> TelegramId {
        self.id
    }

    /// The bot's username as it is known now, without the `@`; empty where the server does not
    /// have it.
    pub fn username(&self) -> String {
        self.own_name.get().map(Username::into_string).unwrap_or_default()
    }

    /// Takes updates by long polling, registers their users with `users`, and has `handler`
    /// answer them, until `shutdown` resolves. Then finishes what is under way and confirms it.
    ///
    /// # Errors
    /// When Telegram no longer accepts the token, or no user can be registered any more. Everything
    /// else is waited out.
    pub async fn poll(
        &self,
        users: UserService,
        handler: Arc<dyn Handler>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), BotError> {
        let mut shutdown = std::pin::pin!(shutdown);
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            result = patiently("the webhook cannot be deleted", || {
                poll::delete_webhook(&self.client)
            }) => result.map_err(BotError::Call)?,
        }
        let ingest = self.ingest(users, handler);
        log::info!(bot_id = self.id.get(); "ready: @{} takes updates by long polling", self.username());
        self.intake.goes_on();
        let first_batch = self.first_batch.lock().unwrap_or_else(PoisonError::into_inner).take();
        poll::run(&self.client, &ingest, &self.intake, first_batch, shutdown).await
    }

    /// Keeps a batch for [`Bot::poll`], which starts with it.
    pub(crate) fn keep_first_batch(&self, batch: Body) {
        *self.first_batch.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
    }

    /// What takes the updates that Telegram delivers to the webhook with this secret, registers their
    /// users with `users`, and has `handler` answer them. Wrong secrets are reported to `alerts`.
    pub fn receiver(
        &self,
        users: UserService,
        handler: Arc<dyn Handler>,
        secret: WebhookSecret,
        alerts: Alerts,
    ) -> Receiver {
        Receiver::new(self.ingest(users, handler), self.intake.clone(), secret, alerts)
    }

    /// Has Telegram deliver updates to `webhook`, retrying for as long as it takes. Updates may come
    /// before this returns.
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
        let set = patiently("the webhook cannot be set", || {
            self.client.call::<IgnoredAny>("setWebhook", &parameters)
        });
        set.await.map_err(|error| match error {
            CallError::Refused { code: 401, .. } => BotError::BadToken(error),
            error => BotError::Webhook(error),
        })?;
        self.intake.goes_on();
        Ok(())
    }

    fn ingest(&self, users: UserService, handler: Arc<dyn Handler>) -> Ingest {
        let outbox = self.outbox.clone();
        Ingest::new(users, self.clock(), handler, outbox, self.own_name.clone())
    }
}

async fn get_me(client: &Client) -> Result<Me, CallError> {
    client.call("getMe", &json!({})).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_exposed_where_others_can_read_it() {
        for (api_url, proxy, is_exposed) in [
            ("https://api.telegram.org", None, false),
            ("http://api.telegram.org", None, true),
            ("http://bot-api.internal:8081", None, false),
            ("https://api.telegram.org", Some("http://proxy.example.org:3128"), false),
            ("https://api.telegram.org", Some("socks5h://127.0.0.1"), false),
            ("http://bot-api.internal:8081", Some("http://proxy.example.org:3128"), true),
            // Encrypted as far as the proxy, which reads it all the same.
            ("http://bot-api.internal:8081", Some("https://proxy.example.org"), true),
            ("http://bot-api.internal:8081", Some("socks5h://127.0.0.1"), true),
            ("http://127.0.0.1:8081", Some("socks5://10.0.0.1"), true),
            ("http://127.0.0.1:8081", Some("socks5://localhost"), false),
            ("http://[::1]:8081", Some("http://127.0.0.1:3128"), false),
        ] {
            let settings = Settings {
                token: "123:hunter2".parse().unwrap(),
                api_url: api_url.parse().unwrap(),
                proxy: proxy.map(|proxy| proxy.parse().unwrap()),
                send_rate: 30,
            };
            assert_eq!(settings.is_token_exposed(), is_exposed, "{api_url} {proxy:?}");
        }
    }
}
