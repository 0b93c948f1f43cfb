//! Commands that people type.

use rollcall_domain::{StartPayload, Username};

/// A command that the bot knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// With the payload of the deep link by which the person came, if there is a good one.
    Start(Option<StartPayload>),
    Schedule,
    Settings,
    Help,
    /// With the page that was typed, the first one where none was; `None` where it cannot be one.
    Users(Option<u32>),
    Stats,
    Admin,
}

impl Command {
    /// Reads a text such as `/users 2` or `/start@our_bot payload`, and the name of the bot that it
    /// is addressed to, if it is; `None` where it is no command, or not one that we know. Letters may
    /// be of either case, and any whitespace stands before what follows.
    ///
    /// This is the only place that reads commands: what counts, what is registered and what is
    /// answered follow from it.
    pub(crate) fn read(text: &str) -> Option<(Self, Option<Username>)> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let name = word.strip_prefix('/')?;
        let (name, addressee) = match name.split_once('@') {
            Some((name, addressee)) => (name, Some(username(addressee)?)),
            None => (name, None),
        };
        let command = match name.to_ascii_lowercase().as_str() {
            "start" => Self::Start(rest.parse().ok()),
            "schedule" => Self::Schedule,
            "settings" => Self::Settings,
            "help" => Self::Help,
            "users" => Self::Users(page_number(rest)),
            "stats" => Self::Stats,
            "admin" => Self::Admin,
            _ => return None,
        };
        Some((command, addressee))
    }

    /// The command's name, without the slash.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "start",
            Self::Schedule => "schedule",
            Self::Settings => "settings",
            Self::Help => "help",
            Self::Users(_) => "users",
            Self::Stats => "stats",
            Self::Admin => "admin",
        }
    }

    /// Whether the command exists for admins only.
    pub(crate) fn is_for_admins(&self) -> bool {
        matches!(self, Self::Users(_) | Self::Stats | Self::Admin)
    }
}

/// A name as it stands behind the `@`.
fn username(text: &str) -> Option<Username> {
    text.parse().ok().filter(|_| !text.starts_with('@'))
}

fn page_number(typed: &str) -> Option<u32> {
    match typed {
        "" => Some(1),
        typed => typed.parse().ok().filter(|page| *page > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(payload: &str) -> Command {
        Command::Start(Some(payload.parse().unwrap()))
    }

    #[test]
    fn reads_what_people_type() {
        let plain = |command| Some((command, None));
        let addressed = |command, name: &str| Some((command, Some(name.parse().unwrap())));
        for (text, command) in [
            ("/start", plain(Command::Start(None))),
            ("/start ref_42", plain(start("ref_42"))),
            ("/START  ref_42", plain(start("ref_42"))),
            ("/Start\tref_42 ", plain(start("ref_42"))),
            ("/start\n\u{a0} ref_42\r\n", plain(start("ref_42"))),
            ("/START@Our_Bot ref-42", addressed(start("ref-42"), "Our_Bot")),
            ("/start@other_bot", addressed(Command::Start(None), "other_bot")),
            ("/start@", None),
            ("/start@a@b", None),
            ("/start@@our_bot", None),
            ("/start @our_bot", plain(Command::Start(None))),
            // What no deep link can have.
            ("/start a b", plain(Command::Start(None))),
            ("/start ü", plain(Command::Start(None))),
            ("/users", plain(Command::Users(Some(1)))),
            ("/users  2 ", plain(Command::Users(Some(2)))),
            ("/users@our_bot\n3", addressed(Command::Users(Some(3)), "our_bot")),
            ("/users x", plain(Command::Users(None))),
            ("/users 0", plain(Command::Users(None))),
            ("/users2", None),
            ("/admin", Some((Command::Admin, None))),
            ("/", None),
            ("/@our_bot", None),
            ("start", None),
            (" /start", None),
            ("//start", None),
            ("", None),
        ] {
            assert_eq!(Command::read(text), command, "{text:?}");
        }
    }

    #[test]
    fn a_payload_has_up_to_64_characters() {
        let text = |length| format!("/start {}", "x".repeat(length));
        let payload = |length| Command::read(&text(length)).unwrap().0;
        assert_eq!(payload(64), start(&"x".repeat(64)));
        assert_eq!(payload(65), Command::Start(None));
    }
}
