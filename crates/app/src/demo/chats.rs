//! The lines of `--verbose`: what the simulated users do, and what the bot answers.

use rollcall_simulator::{ChatEvent, Person};
use tokio::sync::broadcast::{self, error::RecvError};

use super::say::say;

/// Prints the chats until the demo stops.
pub(super) async fn print(mut events: broadcast::Receiver<ChatEvent>) -> anyhow::Result<()> {
    loop {
        match events.recv().await {
            Ok(event) => say(&line(&event))?,
            Err(RecvError::Lagged(missed)) => say(&format!("… {missed} more …"))?,
            // The simulator stops with the demo, and there is nothing left to print.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn line(event: &ChatEvent) -> String {
    match event {
        ChatEvent::Wrote { person, text } => format!("{} writes: {text}", name(person)),
        ChatEvent::Pressed { person, label, .. } => {
            let button = label.as_ref().map_or("a button".to_owned(), |it| format!("[{it}]"));
            format!("{} presses {button}", name(person))
        }
        ChatEvent::Blocked { person } => format!("{} blocks the bot", name(person)),
        ChatEvent::Unblocked { person } => format!("{} unblocks the bot", name(person)),
        ChatEvent::Other { person, kind } => format!("{} sends an update: {kind}", name(person)),
        ChatEvent::Answered { person, text, buttons, .. } => {
            format!("    the bot to {}: {text}{}", addressee(person.as_ref()), row(buttons))
        }
        ChatEvent::Edited { person, text, buttons, .. } => {
            let to = addressee(person.as_ref());
            format!("    the bot to {to}, changed: {text}{}", row(buttons))
        }
    }
}

/// The buttons below a message, on a line of their own.
fn row(labels: &[String]) -> String {
    let buttons: Vec<String> = labels.iter().map(|label| format!("[{label}]")).collect();
    if buttons.is_empty() { String::new() } else { format!("\n{}", buttons.join(" ")) }
}

fn addressee(person: Option<&Person>) -> String {
    person.map_or_else(|| "a group".to_owned(), name)
}

fn name(person: &Person) -> String {
    let last_name = person.last_name.as_deref().unwrap_or_default();
    format!("{} {last_name}", person.first_name).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presses_and_buttons_are_shown_as_words() {
        let person = Person::new(7, "Käthe").last_name("Müller");
        let pressed = |label: Option<&str>| ChatEvent::Pressed {
            person: person.clone(),
            data: "1/s/today".to_owned(),
            label: label.map(str::to_owned),
        };
        assert_eq!(line(&pressed(Some("Heute"))), "Käthe Müller presses [Heute]");
        assert_eq!(line(&pressed(None)), "Käthe Müller presses a button");
        let answered = ChatEvent::Answered {
            chat_id: 7,
            person: Some(person),
            text: "Hallo!".to_owned(),
            buttons: vec!["Heute".to_owned(), "Morgen".to_owned()],
        };
        assert_eq!(line(&answered), "    the bot to Käthe Müller: Hallo!\n[Heute] [Morgen]");
    }
}
