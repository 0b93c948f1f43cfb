//! A place in the source of a text, and what is read there.

use super::TextError;
use crate::spelling::shortened;

/// Reads a text from its beginning to its end.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// Where a character stands. In the value of an attribute, an `&` that begins no entity stands for
/// itself, because addresses have many.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Text,
    Attribute,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The number of bytes that were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Reads `expected`, if it comes next.
    pub(super) fn skip(&mut self, expected: &str) -> bool {
        let is_next = self.rest().starts_with(expected);
        if is_next {
            self.at += expected.len();
        }
        is_next
    }

    /// Reads as long as the characters are `wanted`.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    pub(super) fn error(&self, at: usize, message: impl Into<String>) -> TextError {
        TextError::new(self.text, at, message)
    }

    /// Reads a character, or the entity that stands for one; `None` at the end. A line break is
    /// `\n`, however it is written.
    ///
    /// # Errors
    /// If the character is a control character, or an `&` begins no entity.
    pub(super) fn letter(&mut self, place: Place) -> Result<Option<char>, TextError> {
        let at = self.at;
        match self.next() {
            Some('\r') => {
                self.skip("\n");
                Ok(Some('\n'))
            }
            Some('&') => self.entity(at, place).map(Some),
            Some(c) if !is_text(c) => {
                let message = "expected text; this is a control character or a byte that is not \
                               UTF-8";
                Err(self.error(at, message))
            }
            other => Ok(other),
        }
    }

    /// Reads an entity after its `&`.
    fn entity(&mut self, at: usize, place: Place) -> Result<char, TextError> {
        let mut ahead = self.clone();
        let name = ahead.take_while(|c| c.is_ascii_alphanumeric() || c == '#');
        let is_closed = ahead.skip(";");
        match (entity(name), is_closed, place) {
            (Some(letter), true, _) => {
                self.at = ahead.at;
                Ok(letter)
            }
            (_, _, Place::Attribute) => Ok('&'),
            (Some(_), false, _) => {
                Err(self.error(ahead.at, format!("expected ';' after '&{name}'")))
            }
            (None, true, _) if !name.is_empty() => Err(self.error(
                at,
                format!(
                    "unknown entity '&{};'; expected &lt;, &gt;, &amp;, &quot; or the number of a \
                     character, such as &#160;",
                    shortened(name)
                ),
            )),
            _ => Err(self.error(at, "expected an entity such as &lt;; write &amp; for an '&'")),
        }
    }
}

/// The character for which the name or number of an entity stands (Bot API, "HTML style").
fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "amp" => return Some('&'),
        "quot" => return Some('"'),
        _ => {}
    }
    let number = name.strip_prefix('#')?;
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let code = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(code).filter(|c| is_text(*c))
}

/// Whether a message can contain a character. Telegram replaces control characters, PostgreSQL
/// cannot store U+0000, and U+FFFD stands for bytes that are not UTF-8.
fn is_text(c: char) -> bool {
    matches!(c, '\n' | '\t') || (!c.is_control() && c != '\u{fffd}')
}
