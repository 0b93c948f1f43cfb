use super::{Element, LinkPart, Placeholder, Variable};
use crate::TelegramUser;

/// How long a text may be, in UTF-16 code units without tags (Bot API, `sendMessage` and
/// `sendPhoto`). Most characters are one unit, and most emoji two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextLimit {
    /// The text of a message: up to 4,096.
    Message,
    /// The caption of a photo, video, document or voice message: up to 1,024.
    Caption,
}

impl TextLimit {
    /// The greatest number of UTF-16 code units.
    pub fn units(self) -> usize {
        match self {
            Self::Message => 4096,
            Self::Caption => 1024,
        }
    }
}

/// A part of a text, in the order of reading. Elements are nested: each [`Open`](Part::Open) has its
/// [`Close`](Part::Close).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The beginning of an element.
    Open(Element),
    /// Characters as users see them. Never empty, and never next to another text.
    Text(String),
    /// A part of the user's profile.
    Variable(Placeholder),
    /// The end of the element that was opened last and is still open.
    Close,
}

/// The text of a message: Telegram's HTML with variables, parsed by [`MessageText::parse`]. Every
/// user gets a text that Telegram accepts, whatever their name.
///
/// It prints itself in its canonical form, which parses to an equal text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageText {
    pub(super) parts: Vec<Part>,
    pub(super) max_units: usize,
}

impl MessageText {
    /// The parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The greatest length for any user, in UTF-16 code units without tags.
    pub fn max_units(&self) -> usize {
        self.max_units
    }

    /// The variables that occur, each once.
    pub fn variables(&self) -> Vec<Variable> {
        variables(&self.parts)
    }

    /// The text for a user. Values stand in it as text: they are escaped where it is written as
    /// HTML, and percent-encoded in an address.
    pub fn for_user(&self, user: &TelegramUser) -> UserText {
        let mut parts: Vec<Part> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match part {
                Part::Variable(placeholder) => match placeholder.value(user) {
                    Some(value) => push_text(&mut parts, &value),
                    None => parts.push(part.clone()),
                },
                Part::Text(text) => push_text(&mut parts, text),
                Part::Open(Element::Link(link)) => {
                    parts.push(Part::Open(Element::Link(link.for_user(user))));
                }
                Part::Open(_) | Part::Close => parts.push(part.clone()),
            }
        }
        UserText { parts }
    }
}

/// The text of a message for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserText {
    pub(super) parts: Vec<Part>,
}

impl UserText {
    /// The parts, in order. A variable among them is unfilled: the user has no value, and the
    /// variable no fallback.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The variables that are unfilled, each once.
    pub fn unfilled(&self) -> Vec<Variable> {
        variables(&self.parts)
    }

    /// The text without formatting, as Telegram shows it.
    pub fn plain(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Open(_) | Part::Variable(_) | Part::Close => None,
        });
        texts.collect()
    }
}

/// Adds a text to the one before it, if there is one.
pub(super) fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => before.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

fn variables(parts: &[Part]) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    for part in parts {
        match part {
            Part::Variable(placeholder) => variables.push(placeholder.variable),
            Part::Open(Element::Link(link)) => {
                variables.extend(link.parts().iter().filter_map(LinkPart::variable));
            }
            Part::Open(_) | Part::Text(_) | Part::Close => {}
        }
    }
    variables.sort_unstable();
    variables.dedup();
    variables
}
