//! The bundled bot beside another one that answers the users.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use rollcall_domain::{Registration, TelegramId};
use rollcall_telegram::{Client, Handler, Request};
use tokio::time::sleep;

use crate::{
    Conversation,
    action::{OPT_OUT, PRESS},
    command::COMMANDS,
    menu::foreign_commands,
};

/// How often the other bot's commands are looked up.
const LOOK_UP_EVERY: Duration = Duration::from_secs(3600);
/// How many names of commands are kept. Telegram allows a menu a hundred.
const MOST_NAMES: usize = 1000;
/// The command that Telegram sends when a user opens the bot, whether or not it is in a menu.
const START: &str = "start";
/// The command with which an owner writes a broadcast.
const BROADCAST: &str = "broadcast";

/// The commands that the bundled bot answers beside another bot: the setting `OWN_COMMANDS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCommands(BTreeSet<&'static str>);

/// Those by which users ask about their data, because only Rollcall knows what it stores.
impl Default for OwnCommands {
    fn default() -> Self {
        Self(BTreeSet::from(["privacy", "mydata", "deletemydata"]))
    }
}

impl FromStr for OwnCommands {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self(BTreeSet::new()));
        }
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let known = |name: &str| {
            let bare = name.strip_prefix('/')?;
            COMMANDS.iter().copied().find(|it| *it == bare)
        };
        names
            .map(|name| known(name).ok_or_else(|| unknown(name)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn unknown(name: &str) -> String {
    let all: Vec<String> = COMMANDS.iter().map(|it| format!("/{it}")).collect();
    format!("{name:?} is no command of Rollcall; expected off, or some of {}", all.join(","))
}

/// Answers only the own commands and buttons, and knows the commands of the bot that answers the others.
pub struct Beside {
    conversation: Arc<Conversation>,
    own: OwnCommands,
    /// The commands that count as known.
    known: RwLock<&'static [&'static str]>,
}

impl Beside {
    /// Answers `own` with `conversation`.
    pub fn new(conversation: Arc<Conversation>, own: OwnCommands) -> Self {
        let known = slice(own.0.iter().copied().chain([START]).collect());
        Self { conversation, own, known: RwLock::new(known) }
    }

    /// Looks up the commands of the other bot, again and again.
    pub async fn follow_menus(&self, client: Client) -> Infallible {
        loop {
            match foreign_commands(&client).await {
                Ok(names) => self.learn(&names),
                Err(error) => log::warn!(
                    error:%; "the commands of the bot behind are unknown, so their uses are not counted"
                ),
            }
            sleep(LOOK_UP_EVERY).await;
        }
    }

    fn learn(&self, names: &[String]) {
        let mut all: BTreeSet<&'static str> = self.commands().iter().copied().collect();
        let before = all.len();
        all.extend(names.iter().filter_map(|name| interned(name)));
        if all.len() > before {
            log::debug!(commands = all.len(); "the commands of the bot behind are known");
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = slice(all);
        }
    }
}

#[async_trait]
impl Handler for Beside {
    fn commands(&self) -> &'static [&'static str] {
        *self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The buttons of broadcasts always work. The others come with the own commands.
    fn button_family(&self, data: &str) -> Option<&'static str> {
        let family = self.conversation.button_family(data)?;
        ([OPT_OUT, PRESS].contains(&family) || !self.own.0.is_empty()).then_some(family)
    }

    fn wants(&self, text: &str) -> bool {
        self.conversation.wants(text)
    }

    /// For `/broadcast`.
    fn wants_messages_of(&self, user: TelegramId) -> bool {
        self.own.0.contains(BROADCAST) && self.conversation.wants_messages_of(user)
    }

    fn answers(&self, request: &Request) -> bool {
        match request {
            Request::Command(message) => self.own.0.contains(message.command.name),
            Request::Text(_) | Request::Message(_) => true,
            Request::ButtonPress(press) => {
                press.data.as_deref().and_then(|data| self.button_family(data)).is_some()
            }
        }
    }

    async fn handle(&self, request: Request, registration: Registration) {
        self.conversation.handle(request, registration).await;
    }
}

/// The name as a constant: the names of commands are few, and used as constants everywhere.
fn interned(name: &str) -> Option<&'static str> {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return Some(known);
    }
    if names.len() >= MOST_NAMES {
        return None;
    }
    let leaked: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(leaked);
    Some(leaked)
}

fn slice(names: BTreeSet<&'static str>) -> &'static [&'static str] {
    Box::leak(names.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_commands_are_names_with_a_slash() {
        assert_eq!("off".parse(), Ok(OwnCommands(BTreeSet::new())));
        let default = "/privacy,/mydata,/deletemydata".parse();
        assert_eq!(default, Ok(OwnCommands::default()));
        let own: OwnCommands = " /admin, /stats ".parse().unwrap();
        assert_eq!(own.0, BTreeSet::from(["admin", "stats"]));
        for wrong in ["admin", "/buy", "/Admin", "on"] {
            let error = wrong.parse::<OwnCommands>().unwrap_err();
            assert!(error.contains(wrong) && error.contains("/admin"), "{error}");
        }
    }

    #[test]
    fn a_name_is_kept_once() {
        let (a, b) = (interned("shop").unwrap(), interned(&String::from("shop")).unwrap());
        assert!(std::ptr::eq(a, b));
    }
}
