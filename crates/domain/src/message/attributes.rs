//! The attributes of a tag.

use super::{
    Element, Link, LinkPart, TextError,
    cursor::{Cursor, Place},
    element::Tag,
    piece::{Piece, piece},
};
use crate::spelling::{most_like, shortened};

/// The attributes of an opening tag, each of which the tag knows.
pub(super) struct Attributes {
    tag: Tag,
    /// The place of the tag.
    at: usize,
    attributes: Vec<Attribute>,
}

struct Attribute {
    name: &'static str,
    value: Vec<LinkPart>,
    /// The place of the value.
    at: usize,
}

impl Attributes {
    /// Reads the attributes of a tag up to its `>`.
    ///
    /// # Errors
    /// If one is broken, occurs twice, or the tag has no such attribute.
    pub(super) fn read(
        cursor: &mut Cursor<'_>,
        tag_name: &str,
        tag: Tag,
        at: usize,
    ) -> Result<Self, TextError> {
        let mut attributes: Vec<Attribute> = Vec::new();
        loop {
            cursor.skip_blanks();
            if cursor.skip(">") {
                return Ok(Self { tag, at, attributes });
            }
            let name_at = cursor.at();
            let name = cursor.take_while(|c| c.is_alphanumeric() || "-_:".contains(c));
            if name.is_empty() {
                return Err(cursor.error(name_at, format!("expected '>' after '<{tag_name}'")));
            }
            let lower = name.to_ascii_lowercase();
            let known = tag.attributes().iter().find(|known| **known == lower);
            let Some(name) = known.copied() else {
                return Err(cursor.error(name_at, unknown_attribute(&lower, tag_name, tag)));
            };
            if attributes.iter().any(|it| it.name == name) {
                return Err(cursor.error(name_at, format!("expected '{name}' only once")));
            }
            cursor.skip_blanks();
            let has_value = cursor.skip("=");
            cursor.skip_blanks();
            let at = cursor.at();
            let value = if has_value { value(cursor, name)? } else { Vec::new() };
            attributes.push(Attribute { name, value, at });
        }
    }

    /// The element that the tag opens.
    ///
    /// # Errors
    /// If a value is missing, or not one that Telegram accepts.
    pub(super) fn element(&self, cursor: &Cursor<'_>) -> Result<Element, TextError> {
        Ok(match self.tag {
            Tag::Bold => Element::Bold,
            Tag::Italic => Element::Italic,
            Tag::Underline => Element::Underline,
            Tag::Strikethrough => Element::Strikethrough,
            Tag::Spoiler => Element::Spoiler,
            Tag::Span => {
                let (class, at) = self.required(cursor, "class", "<span class=\"tg-spoiler\">")?;
                if class != "tg-spoiler" {
                    return Err(cursor.error(at, "expected class=\"tg-spoiler\""));
                }
                Element::Spoiler
            }
            Tag::Link => {
                let Some(href) = self.find("href") else {
                    return Err(cursor.error(self.at, "expected <a href=\"https://example.org\">"));
                };
                let link = Link::new(href.value.clone());
                Element::Link(link.map_err(|expected| cursor.error(href.at, expected))?)
            }
            Tag::CustomEmoji => {
                let example = "<tg-emoji emoji-id=\"5368324170671202286\">";
                let (id, at) = self.required(cursor, "emoji-id", example)?;
                let id = number(&id).filter(|id| i64::try_from(*id).is_ok());
                let expected = "expected the number of a custom emoji";
                Element::CustomEmoji { id: id.ok_or_else(|| cursor.error(at, expected))? }
            }
            Tag::Time => {
                let (unix, at) = self.required(cursor, "unix", "<tg-time unix=\"1647531900\">")?;
                let unix = number(&unix).and_then(|it| u32::try_from(it).ok());
                let unix = unix.filter(|unix| i32::try_from(*unix).is_ok());
                let expected = "expected a time in seconds since 1970, such as 1647531900";
                let unix = unix.ok_or_else(|| cursor.error(at, expected))?;
                Element::Time { unix, format: self.format(cursor)? }
            }
            Tag::Code => {
                if self.find("class").is_some() {
                    let message = "expected <pre><code class=\"language-…\">; <code> alone has no \
                                   language";
                    return Err(cursor.error(self.at, message));
                }
                Element::Code
            }
            Tag::Pre => Element::Pre { language: None },
            Tag::Blockquote => {
                Element::Blockquote { is_expandable: self.find("expandable").is_some() }
            }
        })
    }

    /// The language of a `<code>` in `<pre>`.
    ///
    /// # Errors
    /// If the class is not that of a language.
    pub(super) fn language(&self, cursor: &Cursor<'_>) -> Result<Option<String>, TextError> {
        let Some((class, at)) = self.fixed(cursor, "class")? else { return Ok(None) };
        let language = class.strip_prefix("language-");
        let is_name = |it: &&str| !it.is_empty() && !it.contains(char::is_whitespace);
        match language.filter(is_name) {
            Some(language) => Ok(Some(language.to_owned())),
            None => Err(cursor.error(at, "expected a class such as language-python")),
        }
    }

    /// How a time is shown (Bot API, "Date-time entity formatting": `r|w?[dD]?[tT]?`).
    fn format(&self, cursor: &Cursor<'_>) -> Result<String, TextError> {
        let Some((format, at)) = self.fixed(cursor, "format")? else { return Ok(String::new()) };
        let rest = format.strip_prefix('w').unwrap_or(&format);
        let rest = rest.strip_prefix(['d', 'D']).unwrap_or(rest);
        let rest = rest.strip_prefix(['t', 'T']).unwrap_or(rest);
        if format == "r" || rest.is_empty() {
            return Ok(format);
        }
        let message = "expected r, or any of w, d or D, and t or T, in this order, such as wDT";
        Err(cursor.error(at, message))
    }

    fn find(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|it| it.name == name)
    }

    fn required(
        &self,
        cursor: &Cursor<'_>,
        name: &str,
        example: &str,
    ) -> Result<(String, usize), TextError> {
        let value = self.fixed(cursor, name)?;
        value.ok_or_else(|| cursor.error(self.at, format!("expected {example}")))
    }

    /// The value of an attribute that can have no variables, and its place.
    fn fixed(&self, cursor: &Cursor<'_>, name: &str) -> Result<Option<(String, usize)>, TextError> {
        let Some(attribute) = self.find(name) else { return Ok(None) };
        match attribute.value.as_slice() {
            [] => Ok(Some((String::new(), attribute.at))),
            [LinkPart::Text(text)] => Ok(Some((text.clone(), attribute.at))),
            _ => {
                let message = "expected no variable here; they can stand in the text and in href";
                Err(cursor.error(attribute.at, message))
            }
        }
    }
}

/// Reads the value of an attribute after its `=`.
fn value(cursor: &mut Cursor<'_>, name: &str) -> Result<Vec<LinkPart>, TextError> {
    let at = cursor.at();
    let Some(quote) = cursor.peek().filter(|c| matches!(c, '"' | '\'')) else {
        let word = cursor.take_while(|c| !c.is_whitespace() && c != '>');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if word.is_empty() || !word.chars().all(is_plain) {
            return Err(cursor.error(at, format!("expected {name}=\"…\", with quotes")));
        }
        return Ok(vec![LinkPart::Text(word.to_owned())]);
    };
    cursor.next();
    let mut parts: Vec<LinkPart> = Vec::new();
    while let Some(next) = cursor.peek().filter(|c| *c != '<') {
        if next == quote {
            cursor.next();
            return Ok(parts);
        }
        match (piece(cursor, Place::Attribute)?, parts.last_mut()) {
            (Some(Piece::Letter(letter)), Some(LinkPart::Text(text))) => text.push(letter),
            (Some(Piece::Letter(letter)), _) => parts.push(LinkPart::Text(letter.to_string())),
            (Some(Piece::Variable(it)), _) => parts.push(LinkPart::Variable(it)),
            (None, _) => {}
        }
    }
    let message = format!("the value of '{name}' is not closed; expected another {quote} after it");
    Err(cursor.error(at, message))
}

/// A number above 0, of digits only.
fn number(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && *number > 0)
}

/// That a tag has no such attribute, and which one it may be.
fn unknown_attribute(name: &str, tag_name: &str, tag: Tag) -> String {
    let shown = shortened(name);
    let known = tag.attributes();
    if known.is_empty() {
        return format!("<{tag_name}> has no attributes; expected '>', not '{shown}'");
    }
    match most_like(known.iter().copied(), name) {
        Some(known) => format!("<{tag_name}> has no '{shown}'; did you mean '{known}'?"),
        None => format!("<{tag_name}> has no '{shown}'; expected {}", known.join(" or ")),
    }
}
