//! The bot's own username, which its owner may change while the bot runs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rollcall_domain::Username;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    client::{CallError, Client},
    outbox::bucket::{Bucket, Pace},
    trouble::chain,
};

/// For how long what Telegram has answered is taken for true, of our own name and of the names of
/// others.
const TRUSTED: Duration = Duration::from_secs(60 * 60);
/// How often Telegram is asked. Anybody can address commands to any number of names.
const ASKING: Pace = Pace { every: Duration::from_secs(30), at_once: 5 };
/// How long an answer may take: updates wait for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long Telegram is not asked after it did not answer.
const REST: Duration = Duration::from_secs(60);
/// How many names of others are remembered.
const OTHERS: usize = 1000;

/// The bot's own username. Cheap to clone; clones share it.
///
/// Commands in groups are addressed to it (`/help@our_bot`). Telegram does not announce a new name,
/// so it is asked again when a command is addressed to a name that is not known, and once in a while.
#[derive(Clone)]
pub(crate) struct OwnName {
    client: Client,
    known: Arc<Mutex<Known>>,
    /// Held while Telegram is asked; other batches wait for the same answer.
    asking: Arc<tokio::sync::Mutex<()>>,
}

struct Known {
    /// `None` where the server does not have it.
    name: Option<Username>,
    /// When Telegram last confirmed it.
    confirmed_at: Instant,
    /// Names that are not ours, in lower case, and when that was so.
    others: HashMap<String, Instant>,
    bucket: Bucket,
    not_before: Instant,
}

impl OwnName {
    /// The username that Telegram has just given.
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

    /// The username as far as it is known.
    pub(crate) fn get(&self) -> Option<Username> {
        self.lock().name.clone()
    }

    /// Asks Telegram for the username where one of these, to which commands are addressed, may be a
    /// new one; answers what is known then. Asks seldom, and waits no longer than updates can.
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
                log::debug!(error = chain(&error); "the bot's username could not be checked");
                self.lock().not_before = Instant::now() + REST;
            }
        }
    }

    async fn me(&self) -> Result<Me, CallError> {
        self.client.call_raw("getMe", &json!({}), PATIENCE).await?.read()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing panics while it is held.
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

    /// Whether Telegram may be asked now; it counts as asked then.
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

/// What we need of getMe's answer.
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
    async fn a_name_is_asked_about_once_an_hour() {
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
    async fn a_flood_of_names_is_asked_about_seldom_and_not_remembered_without_bound() {
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
