//! Whether another program already uses the bot's token. Looking changes nothing at Telegram.

use std::time::Duration;

use frankenstein::methods::GetUpdatesParams;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;

use crate::{
    bot::Bot,
    client::{CallError, Conflict},
    retry::retry,
};

const OUTAGE: &str = "cannot check whether the bot is in use";
/// How long the first getUpdates waits for updates. A program that polls for the same bot, whose
/// request this one ends, usually retries after a second, and then ends this one.
const FIRST_POLL: Duration = Duration::from_secs(2);
/// Added to the first getUpdates' timeout for the request as a whole.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct WebhookInfo {
    #[serde(default)]
    url: String,
}

impl Bot {
    /// The address of the webhook that is set, empty if there is none (Bot API, "getWebhookInfo").
    /// Retries until there is a response.
    ///
    /// # Errors
    /// If the server refuses, for example because it does not know this method.
    pub async fn webhook_url(&self) -> Result<String, CallError> {
        let client = self.client();
        let none = json!({});
        let info: WebhookInfo = retry(OUTAGE, || client.call("getWebhookInfo", &none)).await?;
        Ok(info.url)
    }

    /// Whether another program polls for this bot: Telegram then refuses one of the two with 409.
    /// Retries until there is a response. Acknowledges no updates; [`Bot::poll`] takes them as its first
    /// batch.
    ///
    /// # Errors
    /// If Telegram refuses for another reason.
    pub async fn is_polled_elsewhere(&self) -> Result<bool, CallError> {
        let client = self.client();
        // Without allowed_updates, which Telegram would store.
        let timeout = u32::try_from(FIRST_POLL.as_secs()).unwrap_or_default();
        let params = GetUpdatesParams::builder().timeout(timeout).build();
        let fetched = retry(OUTAGE, || async {
            let body = client.call_raw("getUpdates", &params, FIRST_POLL + GRACE).await?;
            body.read::<IgnoredAny>()?;
            Ok(body)
        });
        match fetched.await {
            Ok(batch) => {
                self.keep_first_batch(batch);
                Ok(false)
            }
            Err(error) if error.conflict() == Some(Conflict::OtherPoller) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
