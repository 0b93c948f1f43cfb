//! The methods that are about updates (Bot API, "Getting updates"), for the bot behind.

use std::{sync::Mutex, time::Duration};

use hyper::{Response, StatusCode};
use reqwest::Body;
use rollcall_domain::{SubscribedWebhook, UpdateSubscription, error_chain};
use rollcall_service::{ServiceError, SubscriptionService};
use serde_json::{Map, Value, json};

use super::{
    params::Params,
    response::{done, refuse, respond},
};
use crate::{
    behind::{Behind, InvalidWebhook, Pull},
    client::Client,
    error::BotError,
};

/// Telegram's bounds and defaults (Bot API, "getUpdates" and "setWebhook").
const MOST_UPDATES: i64 = 100;
const LONGEST_TIMEOUT_S: i64 = 50;
const CONNECTIONS: i64 = 40;
const MOST_CONNECTIONS: i64 = 100;
/// How many kinds of updates are kept, and how long a name may be.
const MOST_KINDS: usize = 100;
const LONGEST_KIND: usize = 64;

/// The methods that are about updates.
pub(super) struct Updates {
    client: Client,
    behind: Behind,
    subscriptions: SubscriptionService,
    /// What the bot behind has chosen, which is stored too.
    chosen: Mutex<UpdateSubscription>,
    /// Held while that changes.
    changing: tokio::sync::Mutex<()>,
}

impl Updates {
    /// Goes on with what the bot behind has chosen before.
    pub(super) async fn open(
        client: Client,
        behind: Behind,
        subscriptions: SubscriptionService,
    ) -> Result<Self, BotError> {
        let chosen = subscriptions.subscription().await?;
        behind
            .subscribe(&chosen, false)
            .map_err(|error| BotError::Subscription(error.to_string()))?;
        let chosen = Mutex::new(chosen);
        Ok(Self { client, behind, subscriptions, chosen, changing: tokio::sync::Mutex::default() })
    }

    pub(super) fn behind(&self) -> &Behind {
        &self.behind
    }

    /// getUpdates.
    pub(super) async fn get(&self, params: &Params) -> Response<Body> {
        if let Some(kinds) = kinds(params)
            && let Err(error) = self.allow(kinds).await
        {
            return not_stored(&error);
        }
        let limit = params.number("limit").unwrap_or(MOST_UPDATES).clamp(1, MOST_UPDATES);
        let timeout_s = params.number("timeout").unwrap_or_default().clamp(0, LONGEST_TIMEOUT_S);
        let pull = Pull {
            offset: params.number("offset").unwrap_or_default(),
            limit: usize::try_from(limit).unwrap_or(1),
            timeout: Duration::from_secs(timeout_s.unsigned_abs()),
        };
        match self.behind.pull(&pull).await {
            Ok(body) => respond(StatusCode::OK, body),
            Err(conflict) => refuse(StatusCode::CONFLICT, &conflict.to_string()),
        }
    }

    /// setWebhook. An empty address deletes it.
    pub(super) async fn set_webhook(&self, params: &Params) -> Response<Body> {
        let url = params.text("url").trim();
        if url.is_empty() {
            return self.delete_webhook(params).await;
        }
        if params.has("certificate") {
            return bad_webhook(
                "a certificate is not supported by Rollcall; use an address with http, or one whose \
                 certificate is from a known authority",
            );
        }
        let connections = params.number("max_connections").unwrap_or(CONNECTIONS);
        let secret_token = params.text("secret_token");
        let webhook = SubscribedWebhook {
            url: url.to_owned(),
            secret_token: Some(secret_token.to_owned()).filter(|secret| !secret.is_empty()),
            max_connections: u8::try_from(connections.clamp(1, MOST_CONNECTIONS)).unwrap_or(1),
        };
        let changed = |chosen: &mut UpdateSubscription| {
            chosen.webhook = Some(webhook);
            chosen.allowed_updates =
                kinds(params).unwrap_or(std::mem::take(&mut chosen.allowed_updates));
        };
        self.change(changed, params, "Webhook was set").await
    }

    /// deleteWebhook.
    pub(super) async fn delete_webhook(&self, params: &Params) -> Response<Body> {
        let is_set = self.chosen().webhook.is_some();
        let description = if is_set { "Webhook was deleted" } else { "Webhook is already deleted" };
        self.change(|chosen| chosen.webhook = None, params, description).await
    }

    /// getWebhookInfo. Telegram knows how many updates wait, and we know the rest.
    pub(super) async fn webhook_info(&self) -> Response<Body> {
        let at_telegram: Option<Map<String, Value>> =
            self.client.call("getWebhookInfo", &json!({})).await.ok();
        let pending = at_telegram.as_ref().and_then(|info| info.get("pending_update_count"));
        let pending = pending.cloned().unwrap_or_else(|| json!(self.behind.waiting()));
        let UpdateSubscription { webhook, allowed_updates } = self.chosen();
        let mut info = Map::new();
        let url = webhook.as_ref().map_or("", |webhook| webhook.url.as_str());
        info.insert("url".to_owned(), json!(url));
        info.insert("has_custom_certificate".to_owned(), json!(false));
        info.insert("pending_update_count".to_owned(), pending);
        if let Some(webhook) = &webhook {
            info.insert("max_connections".to_owned(), json!(webhook.max_connections));
            if let Some((at, failure)) = self.behind.last_failure() {
                info.insert("last_error_date".to_owned(), json!(at.timestamp()));
                info.insert("last_error_message".to_owned(), json!(failure));
            }
        }
        if !allowed_updates.is_empty() {
            info.insert("allowed_updates".to_owned(), json!(allowed_updates));
        }
        respond(StatusCode::OK, json!({"ok": true, "result": info}).to_string())
    }

    /// Stores a change of what the bot behind has chosen, and applies it.
    async fn change(
        &self,
        change: impl FnOnce(&mut UpdateSubscription),
        params: &Params,
        description: &str,
    ) -> Response<Body> {
        let _changing = self.changing.lock().await;
        let drop_pending = params.flag("drop_pending_updates");
        let before = self.chosen();
        let mut chosen = before.clone();
        change(&mut chosen);
        // Most bots set it at each start. What is on its way then goes on.
        if chosen == before && !drop_pending {
            return done(description);
        }
        if let Err(invalid) = Behind::check(&chosen) {
            return match invalid {
                InvalidWebhook::Url(_) => bad_webhook("invalid address"),
                InvalidWebhook::Secret(_) => refuse(
                    StatusCode::BAD_REQUEST,
                    "Bad Request: secret token contains unallowed characters",
                ),
                InvalidWebhook::Client(_) => bad_webhook("no client for it can be created"),
            };
        }
        if let Err(error) = self.subscriptions.set(&chosen).await {
            return not_stored(&error);
        }
        // It was checked.
        drop(self.behind.subscribe(&chosen, drop_pending));
        log::info!(webhook = chosen.webhook.is_some(); "the bot behind has chosen how it gets updates");
        *self.lock() = chosen;
        done(description)
    }

    /// Stores the kinds of updates that the bot behind wants, if they are others than before.
    async fn allow(&self, kinds: Vec<String>) -> Result<(), ServiceError> {
        if self.lock().allowed_updates == kinds {
            return Ok(());
        }
        let _changing = self.changing.lock().await;
        let chosen = UpdateSubscription { allowed_updates: kinds, ..self.chosen() };
        self.subscriptions.set(&chosen).await?;
        self.behind.allow(chosen.allowed_updates.clone());
        *self.lock() = chosen;
        Ok(())
    }

    fn chosen(&self) -> UpdateSubscription {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UpdateSubscription> {
        // No code panics while holding it.
        self.chosen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The kinds of updates in a call; `None` if it does not name any.
fn kinds(params: &Params) -> Option<Vec<String>> {
    let is_name = |kind: &String| {
        kind.len() <= LONGEST_KIND
            && !kind.is_empty()
            && kind.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
    };
    Some(params.strings("allowed_updates")?.into_iter().filter(is_name).take(MOST_KINDS).collect())
}

fn bad_webhook(reason: &str) -> Response<Body> {
    refuse(StatusCode::BAD_REQUEST, &format!("Bad Request: bad webhook: {reason}"))
}

fn not_stored(error: &ServiceError) -> Response<Body> {
    log::warn!(error = error_chain(error); "could not store what the bot behind has chosen");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error: the database is unavailable")
}
