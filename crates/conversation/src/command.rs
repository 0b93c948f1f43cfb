//! The commands of the bot.

use rollcall_telegram::Command as Typed;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Start,
    Schedule,
    Settings,
    Help,
    Id,
    /// What is stored about users.
    Privacy,
    /// A copy of the user's data.
    MyData,
    /// Deletes the user's data, after two questions.
    DeleteMyData,
    /// Who runs the bot.
    DeveloperInfo,
    /// The users that a filter selects, or all without one.
    Users {
        filter: String,
    },
    Segments,
    /// Begins a broadcast to the users of a filter.
    Broadcast {
        filter: String,
    },
    Stats,
    Admin,
}

/// The names of all commands, without the slash.
pub const COMMANDS: &[&str] = &[
    "schedule",
    "start",
    "settings",
    "help",
    "id",
    "privacy",
    "mydata",
    "deletemydata",
    "developer_info",
    "users",
    "segments",
    "broadcast",
    "stats",
    "admin",
];

/// The names of the commands of a bot that shows the schedule, or does not.
pub(crate) fn commands(has_schedule: bool) -> &'static [&'static str] {
    match (has_schedule, COMMANDS) {
        (false, ["schedule", others @ ..]) => others,
        (_, all) => all,
    }
}

impl Command {
    /// The typed command, if it is one of [`COMMANDS`].
    pub(crate) fn of(typed: &Typed) -> Option<Self> {
        Some(match typed.name {
            "start" => Self::Start,
            "schedule" => Self::Schedule,
            "settings" => Self::Settings,
            "help" => Self::Help,
            "id" => Self::Id,
            "privacy" => Self::Privacy,
            "mydata" => Self::MyData,
            "deletemydata" => Self::DeleteMyData,
            "developer_info" => Self::DeveloperInfo,
            "users" => Self::Users { filter: typed.argument.clone() },
            "segments" => Self::Segments,
            "broadcast" => Self::Broadcast { filter: typed.argument.clone() },
            "stats" => Self::Stats,
            "admin" => Self::Admin,
            _ => return None,
        })
    }

    /// Whether only admins may use the command.
    pub(crate) fn is_for_admins(&self) -> bool {
        matches!(
            self,
            Self::Users { .. }
                | Self::Segments
                | Self::Broadcast { .. }
                | Self::Stats
                | Self::Admin
        )
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
    fn only_the_schedule_can_be_left_out() {
        assert_eq!(commands(true), COMMANDS);
        let left: Vec<_> = COMMANDS.iter().filter(|name| **name != "schedule").copied().collect();
        assert_eq!(commands(false), left);
    }

    #[test]
    fn the_argument_of_users_is_a_filter() {
        for argument in ["", "2", "lang:de seen<14d"] {
            let expected = Command::Users { filter: argument.to_owned() };
            assert_eq!(read("users", argument), Some(expected));
        }
        assert_eq!(read("segments", "x"), Some(Command::Segments));
    }
}
