//! Commands that people type.

/// A command that the bot knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Start,
    Schedule,
    Settings,
    Help,
    /// With the page that was typed, "" for none.
    Users(&'a str),
    Stats,
    Admin,
}

impl<'a> Command<'a> {
    /// Reads a text such as `/users 2` or `/start@our_bot payload`; `None` where it is no command,
    /// not one that we know, or addressed to another bot. Letters may be of either case.
    pub(crate) fn read(text: &'a str, our_username: &str) -> Option<Self> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let name = word.strip_prefix('/')?;
        let (name, addressee) = name.split_once('@').unwrap_or((name, our_username));
        if !addressee.eq_ignore_ascii_case(our_username) {
            return None;
        }
        match name.to_ascii_lowercase().as_str() {
            "start" => Some(Self::Start),
            "schedule" => Some(Self::Schedule),
            "settings" => Some(Self::Settings),
            "help" => Some(Self::Help),
            "users" => Some(Self::Users(rest.trim())),
            "stats" => Some(Self::Stats),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }

    /// The command's name, without the slash.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Schedule => "schedule",
            Self::Settings => "settings",
            Self::Help => "help",
            Self::Users(_) => "users",
            Self::Stats => "stats",
            Self::Admin => "admin",
        }
    }

    /// Whether the command exists for admins only.
    pub(crate) fn is_for_admins(self) -> bool {
        matches!(self, Self::Users(_) | Self::Stats | Self::Admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        for (text, command) in [
            ("/start", Some(Command::Start)),
            ("/start ref_42", Some(Command::Start)),
            ("/START@Our_Bot", Some(Command::Start)),
            ("/start@other_bot", None),
            ("/users", Some(Command::Users(""))),
            ("/users  2 ", Some(Command::Users("2"))),
            ("/users@our_bot\n3", Some(Command::Users("3"))),
            ("/users2", None),
            ("/admin", Some(Command::Admin)),
            ("/", None),
            ("/@our_bot", None),
            ("start", None),
            (" /start", None),
            ("", None),
        ] {
            assert_eq!(Command::read(text, "our_bot"), command, "{text:?}");
        }
    }
}
