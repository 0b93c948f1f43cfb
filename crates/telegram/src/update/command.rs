use rollcall_domain::Username;

/// A command for the bot, such as `/users 2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its name, without the slash: one of [`Handler::commands`](crate::Handler::commands).
    pub name: &'static str,
    /// The text after it, trimmed; may be empty.
    pub argument: String,
}

impl Command {
    /// Reads a text such as `/users 2` or `/start@our_bot payload`. Also returns the bot that it is
    /// addressed to, if any. `None` if the text is not one of the commands in `known`. Case does not
    /// matter, and any whitespace may precede the argument.
    ///
    /// This is the only place that reads commands, so statistics, registration and answers agree.
    pub(crate) fn read(text: &str, known: &[&'static str]) -> Option<(Self, Option<Username>)> {
        let (word, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let name = word.strip_prefix('/')?;
        let (name, addressee) = match name.split_once('@') {
            Some((name, addressee)) => (name, Some(username(addressee)?)),
            None => (name, None),
        };
        let name = known.iter().find(|known| known.eq_ignore_ascii_case(name))?;
        Some((Self { name, argument: argument.trim().to_owned() }, addressee))
    }
}

/// The name after the `@`.
fn username(text: &str) -> Option<Username> {
    text.parse().ok().filter(|_| !text.starts_with('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_users_type_them() {
        let command = |name, argument: &str, addressee: Option<&str>| {
            let addressee = addressee.map(|name| name.parse().unwrap());
            Some((Command { name, argument: argument.to_owned() }, addressee))
        };
        for (text, expected) in [
            ("/start", command("start", "", None)),
            ("/start ref_42", command("start", "ref_42", None)),
            ("/START  ref_42", command("start", "ref_42", None)),
            ("/Start\tref_42 ", command("start", "ref_42", None)),
            ("/start\n\u{a0} ref_42\r\n", command("start", "ref_42", None)),
            ("/START@Our_Bot ref-42", command("start", "ref-42", Some("Our_Bot"))),
            ("/start@other_bot", command("start", "", Some("other_bot"))),
            ("/start@", None),
            ("/start@a@b", None),
            ("/start@@our_bot", None),
            ("/start @our_bot", command("start", "@our_bot", None)),
            ("/start a b", command("start", "a b", None)),
            ("/users@our_bot\n3", command("users", "3", Some("our_bot"))),
            ("/users2", None),
            ("/help", None),
            ("/", None),
            ("/@our_bot", None),
            ("start", None),
            (" /start", None),
            ("//start", None),
            ("", None),
        ] {
            assert_eq!(Command::read(text, &["start", "users"]), expected, "{text:?}");
        }
    }
}
