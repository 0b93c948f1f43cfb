mod buttons;
mod html;
mod languages;
mod properties;
mod variables;

use super::{MessageText, TextLimit};
use crate::{TelegramUser, Username};

fn parsed(html: &str) -> MessageText {
    MessageText::parse(html, TextLimit::Message)
        .unwrap_or_else(|error| panic!("{html:?}: {error}\n{}", error.picture(html)))
}

fn error(html: &str) -> String {
    match MessageText::parse(html, TextLimit::Message) {
        Ok(text) => panic!("{html:?} was accepted as {text}"),
        Err(error) => error.to_string(),
    }
}

/// A user with these names and this username, and the language `de`.
fn user(first_name: &str, last_name: &str, username: &str) -> TelegramUser {
    let id = 1815.try_into().unwrap();
    let mut user = TelegramUser::new(id, chrono::DateTime::UNIX_EPOCH);
    user.first_name = first_name.to_owned();
    user.last_name = (!last_name.is_empty()).then(|| last_name.to_owned());
    user.username = Username::from_telegram(username);
    user.language_code = Some("de".to_owned());
    user
}
