//! The commands of the bot.

use rollcall_telegram::Command as Typed;

/// A command, with its argument read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Start,
    Schedule,
    Settings,
    Help,
    /// With the page, which is the first one without an argument; `None` for an argument that is no
    /// page.
    Users(Option<u32>),
    Stats,
    Admin,
}

/// The names of all commands, as people type them after the slash.
pub const COMMANDS: &[&str] = &["start", "schedule", "settings", "help", "users", "stats", "admin"];

impl Command {
    /// The command that was typed, if it is one of [`COMMANDS`].
    pub(crate) fn of(typed: &Typed) -> Option<Self> {
        Some(match typed.name {
            "start" => Self::Start,
            "schedule" => Self::Schedule,
            "settings" => Self::Settings,
            "help" => Self::Help,
            "users" => Self::Users(page_number(&typed.argument)),
            "stats" => Self::Stats,
            "admin" => Self::Admin,
            _ => return None,
        })
    }

    /// Whether the command exists for admins only.
    pub(crate) fn is_for_admins(self) -> bool {
        matches!(self, Self::Users(_) | Self::Stats | Self::Admin)
    }
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

    fn read(name: &'static str, argument: &str) -> Option<Command> {
        Command::of(&Typed { name, argument: argument.to_owned() })
    }

    #[test]
    fn every_name_is_a_command() {
        for name in COMMANDS {
            assert!(read(name, "").is_some(), "{name}");
        }
        assert_eq!(read("shop", ""), None);
    }

    #[test]
    fn a_page_is_a_positive_number() {
        for (argument, page) in
            [("", Some(1)), ("2", Some(2)), ("0", None), ("x", None), ("-1", None), ("1 2", None)]
        {
            assert_eq!(read("users", argument), Some(Command::Users(page)), "{argument:?}");
        }
    }
}
