//! Which methods send something, and so need a turn in the outbox.

/// Methods that begin like those, and send nothing that counts.
const EXEMPT: [&str; 4] =
    ["sendchataction", "sendmessagedraft", "sendrichmessagedraft", "sendgift"];
const BEGINNINGS: [&str; 4] = ["send", "copymessage", "forwardmessage", "editmessage"];

/// Whether a method, in lower case, sends or changes a message.
pub(super) fn sends(method: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| method.starts_with(beginning)) && !EXEMPT.contains(&method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_need_a_turn_and_questions_do_not() {
        for method in
            ["sendmessage", "senddocument", "sendmediagroup", "copymessages", "forwardmessage"]
        {
            assert!(sends(method), "{method}");
        }
        for method in ["getme", "getchat", "sendchataction", "answercallbackquery", "deletemessage"]
        {
            assert!(!sends(method), "{method}");
        }
    }
}
