//! Taking updates as Telegram brings them: each is a request, and the answer to it confirms it
//! (Bot API, "setWebhook").

use std::{
    error::Error,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use reqwest::Url;
use rollcall_domain::LogPace;
use rollcall_service::{Alert, Alerts, ServiceError};
use serde_json::value::RawValue;
use subtle::ConstantTimeEq;
use tokio::{sync::Notify, time::timeout};

use crate::{
    client::place,
    error::BotError,
    ingest::{Commands, Ingest, Taken},
    intake::Intake,
    stream::Stream,
    trouble::Trouble,
};

/// How long an update may take before Telegram is told to bring it again. It waits longer than
/// this, as do proxies in between.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long updates have to be stored in time until it counts as over that they were not.
const CALM: Duration = Duration::from_secs(60);

/// Where Telegram is to bring updates, and what shows that it is Telegram who does.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where to.
    pub url: WebhookUrl,
    /// What every request must carry.
    pub secret: WebhookSecret,
}

/// Takes updates that are brought. Cheap to clone.
#[derive(Clone)]
pub struct Receiver {
    ingest: Ingest,
    intake: Intake,
    secret: WebhookSecret,
    alerts: Alerts,
    shared: Arc<Shared>,
}

/// What the clones of a receiver share.
struct Shared {
    outage: SharedTrouble,
    slowness: SharedTrouble,
    wrong_secrets: Mutex<LogPace>,
    stopped: Notify,
}

impl Receiver {
    pub(crate) fn new(
        ingest: Ingest,
        intake: Intake,
        secret: WebhookSecret,
        alerts: Alerts,
    ) -> Self {
        let shared = Shared {
            outage: SharedTrouble::new("users cannot be registered"),
            slowness: SharedTrouble::new("updates are not stored in time"),
            wrong_secrets: Mutex::default(),
            stopped: Notify::new(),
        };
        Self { ingest, intake, secret, alerts, shared: Arc::new(shared) }
    }

    /// Whether a request with this `X-Telegram-Bot-Api-Secret-Token` comes from Telegram. Compared
    /// in a time that does not tell how much of it is right.
    pub fn admits(&self, secret: Option<&[u8]>) -> bool {
        let admitted = secret.is_some_and(|secret| self.secret.is(secret));
        if !admitted {
            self.refuse();
        }
        admitted
    }

    /// Counts a wrong secret: it may be a stranger's, or that of a process with another setting.
    fn refuse(&self) {
        metrics::counter!("rollcall_webhook_refused_total").increment(1);
        let mut pace = self.shared.wrong_secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(requests) = pace.note(Instant::now()) {
            log::warn!(requests; "refused webhook requests without the right WEBHOOK_SECRET");
        }
        self.alerts.raise(Alert::WrongSecret, self.ingest.now());
    }

    /// Takes the body of a request that is [admitted](Receiver::admits). Once this has answered
    /// well, the update may be confirmed to Telegram: what it changed is durable. What is no update
    /// at all is logged, and well too: to have it brought again would help nobody.
    ///
    /// # Errors
    /// When the update could not be stored in time; Telegram is to bring it again.
    pub async fn receive(&self, body: impl Into<Vec<u8>>) -> Result<(), NotTaken> {
        let (receiver, body) = (self.clone(), body.into());
        // A task of its own: it learns how the storage fares, also when nobody waits for it any
        // longer.
        let registered = tokio::spawn(async move { receiver.register(&body).await });
        match timeout(PATIENCE, registered).await {
            Ok(Ok(commands)) => {
                self.shared.slowness.lock().end_after(CALM);
                self.ingest.answer(commands?);
                Ok(())
            }
            Ok(Err(_)) => Err(NotTaken),
            Err(elapsed) => Err(self.meet(&self.shared.slowness, &elapsed)),
        }
    }

    async fn register(&self, body: &[u8]) -> Result<Commands, NotTaken> {
        let body = String::from_utf8_lossy(body);
        let updates = match serde_json::from_str::<&RawValue>(&body) {
            // Requests come in no order that would tell the age of one by another's.
            Ok(raw) => self.ingest.read(vec![raw], &mut Stream::default()).await,
            Err(error) => {
                log::warn!(fault = place(&error); "something that is no update was brought");
                return Ok(Commands::default());
            }
        };
        match self.ingest.register(&updates).await {
            Ok(Taken { commands, held: None }) => {
                self.shared.outage.lock().end();
                self.intake.goes_on();
                Ok(commands)
            }
            Ok(Taken { held: Some(held), .. }) => Err(self.meet(&self.shared.outage, &held.error)),
            Err(ServiceError::Stopped) => {
                self.shared.stopped.notify_one();
                Err(NotTaken)
            }
            Err(error) => Err(self.meet(&self.shared.outage, &error)),
        }
    }

    /// Notes trouble. It is Telegram that waits before it tries again.
    fn meet(&self, trouble: &SharedTrouble, error: &dyn Error) -> NotTaken {
        let mut trouble = trouble.lock();
        let _wait = trouble.meet(error);
        self.intake.is_hindered(trouble.told(error));
        NotTaken
    }

    /// Resolves when users can no longer be registered, which nothing mends.
    pub async fn failed(&self) -> BotError {
        self.shared.stopped.notified().await;
        BotError::Service(ServiceError::Stopped)
    }

    /// Lets answers that are under way get out, for a while. To be called when no request is under
    /// way any more.
    pub async fn finish(&self) {
        self.ingest.finish().await;
    }
}

/// Trouble that requests at once have.
struct SharedTrouble(Mutex<Trouble>);

impl SharedTrouble {
    fn new(what: &'static str) -> Self {
        Self(Mutex::new(Trouble::new(what)))
    }

    fn lock(&self) -> MutexGuard<'_, Trouble> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An update was not stored; Telegram is to bring it again. The cause is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the update was not taken")]
pub struct NotTaken;

/// Where Telegram is to bring updates: the setting `WEBHOOK_URL`.
///
/// Some put something private into its path or query: neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// The path that requests name; at least `/`.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The port that requests come to.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }

    /// Whether what is brought is encrypted on its way.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The address, with its path.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for WebhookUrl {
    type Err = InvalidWebhookUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidWebhookUrl)?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        if plain { Ok(Self(url)) } else { Err(InvalidWebhookUrl) }
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookUrl(…)")
    }
}

/// A text that is no address for updates. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not an address to bring updates to; expected a URL such as https://bot.example.org/webhook"
)]
pub struct InvalidWebhookUrl;

/// Telegram takes shorter secrets; they could be guessed.
const SHORTEST_SECRET: usize = 16;
/// The longest that Telegram takes.
const LONGEST_SECRET: usize = 256;

/// What shows that a request comes from Telegram: the setting `WEBHOOK_SECRET`.
///
/// A secret: neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// Only the length is told by the time that this takes.
    fn is(&self, other: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(other).into()
    }
}

impl FromStr for WebhookSecret {
    type Err = InvalidWebhookSecret;

    /// Checks the form (Bot API, `secret_token` of "setWebhook"), and that it is long enough.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&text.len()) || !text.bytes().all(fits) {
            return Err(InvalidWebhookSecret);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// A text that is no secret for a webhook. Does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not a safe webhook secret; expected {SHORTEST_SECRET} to {LONGEST_SECRET} characters of \
     A-Z a-z 0-9 _ -, such as `openssl rand -hex 32` prints"
)]
pub struct InvalidWebhookSecret;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_of_letters_that_telegram_takes() {
        for good in ["0123456789abcdef", "ABCDwxyz0189_-_-", &"x".repeat(256)] {
            assert!(good.parse::<WebhookSecret>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789.abcdef",
            "ключключключключ",
            "0123456789abcdef\n",
            "hunter2!hunter2!",
            &"x".repeat(257),
        ] {
            assert_eq!(bad.parse::<WebhookSecret>(), Err(InvalidWebhookSecret), "{bad}");
        }
    }

    #[test]
    fn only_the_whole_secret_is_the_secret() {
        let secret: WebhookSecret = "hunter2-hunter2-".parse().unwrap();
        assert!(secret.is(b"hunter2-hunter2-"));
        for wrong in [
            &b""[..],
            b"h",
            b"hunter2-hunter2",
            b"hunter2-hunter3-",
            b"Hunter2-hunter2-",
            b"hunter2-hunter2- ",
            b"\xff",
        ] {
            assert!(!secret.is(wrong));
        }
    }

    #[test]
    fn an_address_has_a_path() {
        for (url, path) in [
            ("https://bot.example.org", "/"),
            ("https://bot.example.org/", "/"),
            ("http://127.0.0.1:8080/a/b/?c=d", "/a/b/"),
            ("https://bot.example.org:8443/{a} :b", "/%7Ba%7D%20:b"),
        ] {
            assert_eq!(url.parse::<WebhookUrl>().unwrap().path(), path);
        }
        for bad in [
            "",
            "bot.example.org/x",
            "/x",
            "ftp://h/x",
            "https://",
            "https://u:p@h/x",
            "https://h/#x",
        ] {
            assert_eq!(bad.parse::<WebhookUrl>(), Err(InvalidWebhookUrl), "{bad}");
        }
    }

    #[test]
    fn neither_is_shown() {
        let webhook = Webhook {
            url: "https://bot.example.org/private".parse().unwrap(),
            secret: "hunter2-hunter2-".parse().unwrap(),
        };
        let shown = format!("{webhook:?}");
        assert!(!shown.contains("private") && !shown.contains("hunter2"), "{shown}");
    }
}
