//! The bot's own username, which may change while the bot runs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rollcall_domain::{Username, error_chain};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    client::{CallError, Client},
    outbox::bucket::{Bucket, Pace},
};

/// How long Telegram's answer is trusted, for our own name and for the names of others.
const TRUSTED: Duration = Duration::from_secs(60 * 60);
/// How often to ask Telegram. Users can address commands to any number of names.
const ASKING: Pace = Pace { every: Duration::from_secs(30), at_once: 5 };
/// The timeout of getMe, because updates wait for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause after a failed getMe.
const REST: Duration = Duration::from_secs(60);
/// How many names of other bots are remembered.
const OTHERS: usize = 1000;

/// The bot's own username. Cheap to clone; clones share it.
///
/// Commands in groups are addressed to it (`/help@our_bot`). Telegram does not announce a new name,
/// so this asks again when a command is addressed to an unknown name, and once an hour.
#[derive(Clone)]
pub(crate) struct OwnName {
    client: Client,
    known: Arc<Mutex<Known>>,
    /// Locked during getMe, so that other batches wait for the same response.
    asking: Arc<tokio::sync::Mutex<()>>,
}

struct Known {
    /// `None` if the server does not send it.
    name: Option<Username>,
    /// When Telegram last confirmed it.
    confirmed_at: Instant,
    /// Names that are not ours, in lower case, with the time of that answer.
    others: HashMap<String, Instant>,
    bucket: Bucket,
    not_before: Instant,
}

impl OwnName {
    /// Starts with the username that Telegram has just returned.
    pub(crate) fn new(client: Client, name: Option<Username>) -> Self {
        let now = Instant::now();
        let known = Known {
            name,
            confirmed_at: now,
            others: HashMap::new(),
            bucket: Bucket::new(ASKING),
            not_before: now,
        };
        Self { client, known: Arc::new(Mutex::new(known)), asking: Arc::default() }
    }

    /// The username, if known.
    pub(crate) fn get(&self) -> Option<Username> {
        self.lock().name.clone()
    }

    /// Returns the username, after asking Telegram if one of the addressees may be a new name of ours.
    /// It asks rarely, and with a short timeout.
    pub(crate) async fn check(&self, addressees: &[&Username]) -> Option<Username> {
        let is_doubtful = || self.lock().is_doubtful(addressees);
        if is_doubtful() {
            let _asking = self.asking.lock().await;
            if is_doubtful() && self.lock().may_ask() {
                self.ask(addressees).await;
            }
        }
        self.get()
    }

    async fn ask(&self, addressees: &[&Username]) {
        match self.me().await {
            Ok(me) => self.lock().learn(me.username(), addressees),
            Err(error) => {
                log::debug!(error = error_chain(&error); "the bot's username could not be checked");
                self.lock().not_before = Instant::now() + REST;
            }
        }
    }

    async fn me(&self) -> Result<Me, CallError> {
        self.client.call_raw("getMe", &json!({}), PATIENCE).await?.read()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // No code panics while holding it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_ours(&self, name: &Username) -> bool {
        self.name.as_ref().is_some_and(|own| own.key() == name.key())
    }

    fn is_doubtful(&self, addressees: &[&Username]) -> bool {
        addressees.iter().any(|name| {
            let confirmed_at = match self.is_ours(name) {
                true => Some(self.confirmed_at),
                false => self.others.get(&name.key()).copied(),
            };
            confirmed_at.is_none_or(|confirmed_at| confirmed_at.elapsed() >= TRUSTED)
        })
    }

    /// Whether to ask Telegram now. If so, it takes a token.
    fn may_ask(&mut self) -> bool {
        let may_at = self.bucket.token_at().max(self.not_before);
        let may = may_at <= Instant::now();
        if may {
            self.bucket.take();
        }
        may
    }

    fn learn(&mut self, name: Option<Username>, addressees: &[&Username]) {
        let now = Instant::now();
        if name != self.name {
            log::info!("the bot is called {} now", shown(name.as_ref()));
            self.name = name;
        }
        self.confirmed_at = now;
        self.others.retain(|_, confirmed_at| confirmed_at.elapsed() < TRUSTED);
        for other in addressees {
            if !self.is_ours(other) && self.others.len() < OTHERS {
                self.others.insert(other.key(), now);
            }
        }
        if let Some(own) = &self.name {
            self.others.remove(&own.key());
        }
    }
}

fn shown(name: Option<&Username>) -> String {
    name.map_or_else(|| "nothing".to_owned(), Username::to_string)
}

/// The fields of getMe's result that we use.
#[derive(Deserialize)]
pub(crate) struct Me {
    pub(crate) id: i64,
    username: Option<String>,
}

impl Me {
    pub(crate) fn username(&self) -> Option<Username> {
        Username::from_telegram(self.username.as_deref()?)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn name(text: &str) -> Username {
        text.parse().unwrap()
    }

    fn known() -> Known {
        let now = Instant::now();
        Known {
            name: Some(name("our_bot")),
            confirmed_at: now,
            others: HashMap::new(),
            bucket: Bucket::new(ASKING),
            not_before: now,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_checked_once_an_hour() {
        let mut known = known();
        let (ours, other) = (name("Our_Bot"), name("other_bot"));
        assert!(!known.is_doubtful(&[]));
        assert!(!known.is_doubtful(&[&ours]));
        assert!(known.is_doubtful(&[&ours, &other]));
        known.learn(Some(name("our_bot")), &[&ours, &other]);
        assert!(!known.is_doubtful(&[&ours, &name("OTHER_bot")]));
        assert!(known.is_doubtful(&[&name("third_bot")]));
        advance(TRUSTED).await;
        assert!(known.is_doubtful(&[&ours]) && known.is_doubtful(&[&other]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_name_is_ours_and_the_old_one_is_not() {
        let mut known = known();
        known.learn(Some(name("our_bot")), &[&name("new_bot")]);
        assert!(!known.is_ours(&name("new_bot")));
        known.learn(Some(name("new_bot")), &[]);
        assert!(known.is_ours(&name("NEW_bot")) && !known.is_ours(&name("our_bot")));
        assert!(!known.is_doubtful(&[&name("new_bot")]));
        assert!(known.is_doubtful(&[&name("our_bot")]));
        known.learn(None, &[]);
        assert!(!known.is_ours(&name("new_bot")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_names_causes_few_requests_and_bounded_memory() {
        let mut known = known();
        let mut asked = 0;
        for n in 0..3600 {
            let other = name(&format!("bot_{n}"));
            if known.is_doubtful(&[&other]) && known.may_ask() {
                known.learn(Some(name("our_bot")), &[&other]);
                asked += 1;
            }
            advance(Duration::from_secs(1)).await;
        }
        assert!((100..=125).contains(&asked), "{asked}");
        let many: Vec<Username> = (0..5000).map(|n| name(&format!("b{n}"))).collect();
        known.learn(Some(name("our_bot")), &many.iter().collect::<Vec<_>>());
        assert_eq!(known.others.len(), OTHERS);
    }
}
