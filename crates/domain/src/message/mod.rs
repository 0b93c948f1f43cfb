//! What a broadcast says: a text in Telegram's HTML with variables, and the buttons below it.
//!
//! ```text
//! Hello {first_name|friend}, <b>the shop</b> is <a href="https://example.org">open</a>.
//! ```
//!
//! [`MessageText`] is such a text, parsed; [`MessageText::for_user`] fills its variables.
//! [`Buttons`] are the rows of buttons, and [`ByLanguage`] holds a text for each language.
//! `docs/broadcasts.md` describes the syntax.
//!
//! To add a variable, add it to [`Variable`]. To add a tag, add it to `TAGS` in `element.rs`.

mod attributes;
mod buttons;
mod by_language;
mod cursor;
mod element;
mod error;
mod link;
mod parse;
mod piece;
mod print;
mod text;
mod variable;

pub use buttons::{Button, ButtonTarget, Buttons, MAX_BUTTON_CHARS, MAX_BUTTONS_IN_ROW};
pub use by_language::{ByLanguage, InvalidLanguageTag};
pub use element::Element;
pub use error::TextError;
pub use link::{Link, LinkPart};
pub use text::{MessageText, Part, TextLimit, UserText};
pub use variable::{Placeholder, Variable};

#[cfg(test)]
mod tests;
