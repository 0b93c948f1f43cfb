use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use frankenstein::methods::SetWebhookParams;
use rollcall_domain::{Clock, TelegramId, Username};
use rollcall_service::{Alerts, SubscriptionService, UserService};
use serde::de::IgnoredAny;
use serde_json::json;

use crate::{
    behind::{Behind, Forwarding},
    client::{
        ApiUrl, BotToken, CallError, Client, ClockDifference, ProxyUrl, Response, TelegramClock,
    },
    error::BotError,
    handler::Handler,
    ingest::{Ingest, Me, OwnName},
    outbox::Outbox,
    poll,
    proxy::ApiProxy,
    readiness::Readiness,
    retry::retry,
    update::allowed_updates,
    webhook::{Receiver, Webhook, WebhookSecret},
};

/// How many updates Telegram may deliver at once by webhook; its own default.
const WEBHOOK_CONNECTIONS: u32 = 40;

/// How a bot connects to Telegram.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bot's token.
    pub token: BotToken,
    /// The address of the Bot API.
    pub api_url: ApiUrl,
    /// The proxy on the way there; `None` for a direct connection.
    pub proxy: Option<ProxyUrl>,
    /// How many messages a second may be sent in all; 0 disables this limit and those of the chats.
    pub send_rate: u32,
}

impl Settings {
    /// Whether others can read the token, which is part of every request's address. They can if it
    /// travels unencrypted through a proxy or to Telegram's own server.
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

/// A bot whose token Telegram has accepted.
pub struct Bot {
    client: Client,
    outbox: Outbox,
    id: TelegramId,
    own_name: OwnName,
    readiness: Readiness,
    /// A batch that was fetched before polling began.
    first_batch: Mutex<Option<Response>>,
}

impl Bot {
    /// Connects with one getMe, without retries. From then on, each response compares `clock` with
    /// Telegram's.
    ///
    /// # Errors
    /// If Telegram does not accept the token, or is unreachable.
    pub async fn connect(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, BotError> {
        let client = settings.client(clock)?;
        let me = get_me(&client).await?;
        Self::new(client, me, settings.send_rate)
    }

    /// Connects, and retries while Telegram is unreachable.
    ///
    /// # Errors
    /// If Telegram does not accept the token.
    pub async fn connect_with_retries(
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BotError> {
        let client = settings.client(clock)?;
        let me = retry("Telegram cannot be reached", || get_me(&client)).await?;
        Self::new(client, me, settings.send_rate)
    }

    fn new(client: Client, me: Me, send_rate: u32) -> Result<Self, BotError> {
        Ok(Self {
            outbox: Outbox::new(client.clone(), send_rate),
            id: me.id.try_into()?,
            own_name: OwnName::new(client.clone(), me.username()),
            client,
            readiness: Readiness::starting(),
            first_batch: Mutex::default(),
        })
    }

    /// The client of the Bot API.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The outbox, which sends messages.
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// Telegram's clock, as far as it is known.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.client.clock().clone())
    }

    /// Whether the bot takes updates.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// How the clock compares with Telegram's; `None` if the server sends no `Date`.
    pub fn clock_difference(&self) -> Option<ClockDifference> {
        self.client.clock().difference()
    }

    /// The bot's own id.
    pub fn id(&self) -> TelegramId {
        self.id
    }

    /// The bot's current username, without the `@`; empty if the server does not send it.
    pub fn username(&self) -> String {
        self.own_name.get().map(Username::into_string).unwrap_or_default()
    }

    /// Takes updates by long polling, registers their users with `users`, and has `handler` answer
    /// them, until `shutdown` resolves. A bot `behind` gets each update that `handler` does not answer. Then
    /// it finishes the current batch and acknowledges it.
    ///
    /// # Errors
    /// If Telegram no longer accepts the token, or users can no longer be registered. All other errors
    /// are retried.
    pub async fn poll(
        &self,
        users: UserService,
        handler: Arc<dyn Handler>,
        behind: Option<Behind>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), BotError> {
        let mut shutdown = std::pin::pin!(shutdown);
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            result = retry("the webhook cannot be deleted", || {
                poll::delete_webhook(&self.client)
            }) => result.map_err(BotError::Call)?,
        }
        let ingest = self.ingest(users, handler, behind);
        log::info!(bot_id = self.id.get(); "ready: @{} takes updates by long polling", self.username());
        self.readiness.set_ready();
        let first_batch = self.first_batch.lock().unwrap_or_else(PoisonError::into_inner).take();
        poll::run(&self.client, &ingest, &self.readiness, first_batch, shutdown).await
    }

    /// Keeps a batch for [`Bot::poll`], which starts with it.
    pub(crate) fn keep_first_batch(&self, batch: Response) {
        *self.first_batch.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
    }

    /// A receiver for the updates that Telegram delivers to the webhook with this secret. It registers
    /// their users with `users`, and has `handler` answer them. A bot `behind` gets each update that
    /// `handler` does not answer. It reports wrong secrets to `alerts`.
    pub fn receiver(
        &self,
        users: UserService,
        handler: Arc<dyn Handler>,
        behind: Option<Behind>,
        secret: WebhookSecret,
        alerts: Alerts,
    ) -> Receiver {
        let ingest = self.ingest(users, handler, behind);
        Receiver::new(ingest, self.readiness.clone(), secret, alerts)
    }

    /// Another bot that gets the updates at one address. Failures are recorded with `users`.
    ///
    /// # Errors
    /// If the client for that cannot be created.
    pub fn forward(&self, forwarding: Forwarding, users: UserService) -> Result<Behind, BotError> {
        Behind::forwarding(forwarding, self.client.clone(), users)
    }

    /// A Bot API server for another bot, which gets the updates as it asks this server for. What it chooses
    /// is kept in `subscriptions`. An update that it refuses although it accepts others for
    /// `give_up_after` is set aside, with `users`.
    ///
    /// # Errors
    /// If what it has chosen before cannot be read or used.
    pub async fn api_proxy(
        &self,
        give_up_after: Duration,
        users: UserService,
        subscriptions: SubscriptionService,
    ) -> Result<ApiProxy, BotError> {
        let behind = Behind::choosing(give_up_after, self.client.clone(), users.clone());
        ApiProxy::open(self.client.clone(), self.outbox(), behind, users, subscriptions).await
    }

    /// Has Telegram deliver updates to `webhook`, with retries. Updates may arrive before this returns.
    ///
    /// # Errors
    /// If Telegram no longer accepts the token, or refuses the webhook.
    pub async fn set_webhook(&self, webhook: &Webhook) -> Result<(), BotError> {
        // Never with drop_pending_updates, because pending updates still count.
        let params = SetWebhookParams::builder()
            .url(webhook.url.as_str())
            .secret_token(webhook.secret.secret())
            .allowed_updates(allowed_updates())
            .max_connections(WEBHOOK_CONNECTIONS)
            .build();
        let set = retry("the webhook cannot be set", || {
            self.client.call::<IgnoredAny>("setWebhook", &params)
        });
        set.await.map_err(|error| match error {
            CallError::Refused { code: 401, .. } => BotError::BadToken(error),
            error => BotError::Webhook(error),
        })?;
        self.readiness.set_ready();
        Ok(())
    }

    fn ingest(
        &self,
        users: UserService,
        handler: Arc<dyn Handler>,
        behind: Option<Behind>,
    ) -> Ingest {
        let outbox = self.outbox.clone();
        Ingest::new(users, self.clock(), handler, outbox, self.own_name.clone(), behind)
    }
}

async fn get_me(client: &Client) -> Result<Me, CallError> {
    client.call("getMe", &json!({})).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_exposed_if_others_can_read_it() {
        for (api_url, proxy, is_exposed) in [
            ("https://api.telegram.org", None, false),
            ("http://api.telegram.org", None, true),
            ("http://bot-api.internal:8081", None, false),
            ("https://api.telegram.org", Some("http://proxy.example.org:3128"), false),
            ("https://api.telegram.org", Some("socks5h://127.0.0.1"), false),
            ("http://bot-api.internal:8081", Some("http://proxy.example.org:3128"), true),
            // Encrypted up to the proxy, which can read it.
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
