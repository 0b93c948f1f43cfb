//! What a user does in a chat with the bot.

use rollcall_simulator::{Person, SentMessage, Simulator};

/// Sends a command, and waits for its answer.
pub(crate) async fn ask(telegram: &Simulator, person: &Person, command: &str) -> SentMessage {
    telegram.write(person, command);
    telegram.wait_for_message(person.id).await.unwrap()
}

/// Presses a button by its label, and waits until the message has changed.
pub(crate) async fn press(
    telegram: &Simulator,
    person: &Person,
    message: &SentMessage,
    label: &str,
) -> SentMessage {
    let labels: Vec<String> = message.buttons().into_iter().map(|button| button.text).collect();
    let data = message.button(label).unwrap_or_else(|| panic!("no {label} in {labels:?}"));
    telegram.press(person, message, &data);
    telegram.wait_for_edit(message).await.unwrap()
}
