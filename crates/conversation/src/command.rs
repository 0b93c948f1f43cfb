//! The commands of the bot.

use rollcall_telegram::Command as Typed;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Start,
    Schedule,
    Settings,
    Help,
    Users,
    Stats,
    Admin,
}

/// The names of all commands, without the slash.
pub const COMMANDS: &[&str] = &["start", "schedule", "settings", "help", "users", "stats", "admin"];

impl Command {
    /// The typed command, if it is one of [`COMMANDS`].
    pub(crate) fn of(typed: &Typed) -> Option<Self> {
        Some(match typed.name {
            "start" => Self::Start,
            "schedule" => Self::Schedule,
            "settings" => Self::Settings,
            "help" => Self::Help,
            "users" => Self::Users,
            "stats" => Self::Stats,
            "admin" => Self::Admin,
            _ => return None,
        })
    }

    /// Whether only admins may use the command.
    pub(crate) fn is_for_admins(self) -> bool {
        matches!(self, Self::Users | Self::Stats | Self::Admin)
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

    /// Before pages had buttons, `/users 2` was the second page.
    #[test]
    fn an_argument_is_ignored() {
        for argument in ["", "2", "x"] {
            assert_eq!(read("users", argument), Some(Command::Users), "{argument:?}");
        }
    }
}
