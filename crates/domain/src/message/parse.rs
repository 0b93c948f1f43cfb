//! HTML as a text.

use super::{
    Element, MessageText, Part, TextError, TextLimit,
    attributes::Attributes,
    cursor::{Cursor, Place},
    element::{TAGS, Tag},
    piece::{Piece, piece},
    text::push_text,
    variable::shows,
};
use crate::{
    grouped,
    spelling::{most_like, shortened},
};

/// The most elements of a text; Telegram ignores others.
const MAX_ELEMENTS: usize = 100;
/// The most bytes of all addresses in a text. Telegram refuses messages with about 9,500 bytes of
/// entities (`ENTITIES_TOO_LONG`), in which addresses are the only long part.
const MAX_ADDRESS_BYTES: usize = 8000;
/// The most bytes of HTML that the server of the Bot API accepts.
const MAX_HTML_BYTES: usize = 32_768;

impl MessageText {
    /// Parses Telegram's HTML (Bot API, "HTML style") with [variables](super::Variable).
    ///
    /// Blanks at both ends are dropped, as Telegram does. Formatting that Telegram would silently
    /// drop is refused: links without an address that it accepts, elements that cannot be nested.
    ///
    /// # Errors
    /// If the text is not HTML of this kind, if it can be empty for a user, or longer than the limit
    /// for a user with the longest names.
    pub fn parse(html: &str, limit: TextLimit) -> Result<Self, TextError> {
        TextError::if_too_long(html)?;
        let mut parser = Parser {
            cursor: Cursor::new(html),
            parts: Vec::new(),
            open: Vec::new(),
            elements: 0,
            address_bytes: 0,
            units: 0,
            limit,
            limit_at: None,
        };
        parser.read()?;
        parser.finish()
    }
}

/// An element that is open.
struct Open {
    tag: Tag,
    name: &'static str,
    /// The place of its tag.
    at: usize,
    /// The element around it that allows no other in it, or the element itself.
    single: Option<(Tag, &'static str)>,
    is_in_quote: bool,
    /// Whether it is `<code>` directly in `<pre>`.
    is_in_pre: bool,
    /// Whether it is `<pre>`, and its `<code>` is closed.
    is_complete: bool,
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    parts: Vec<Part>,
    open: Vec<Open>,
    /// The number of elements so far.
    elements: usize,
    /// The greatest number of bytes of the addresses so far.
    address_bytes: usize,
    /// The length so far.
    units: usize,
    limit: TextLimit,
    /// Where the text became longer than the limit.
    limit_at: Option<usize>,
}

impl Parser<'_> {
    fn error<T>(&self, at: usize, message: impl Into<String>) -> Result<T, TextError> {
        Err(self.cursor.error(at, message))
    }

    fn read(&mut self) -> Result<(), TextError> {
        while let Some(next) = self.cursor.peek() {
            let at = self.cursor.at();
            if next != '<' {
                self.content(at)?;
                match piece(&mut self.cursor, Place::Text)? {
                    Some(Piece::Letter(letter)) => self.letter(at, letter),
                    Some(Piece::Variable(placeholder)) => {
                        self.count(at, placeholder.max_units());
                        self.parts.push(Part::Variable(placeholder));
                    }
                    None => {}
                }
            } else if self.cursor.skip("</") {
                self.closing_tag(at)?;
            } else {
                self.cursor.next();
                self.opening_tag(at)?;
            }
        }
        match self.open.last() {
            Some(open) => {
                let message = format!("<{0}> is not closed; expected </{0}>", open.name);
                self.error(open.at, message)
            }
            None => Ok(()),
        }
    }

    /// Refuses content where there can be none.
    fn content(&self, at: usize) -> Result<(), TextError> {
        if self.open.last().is_some_and(|open| open.is_complete) {
            let message = "expected </pre> directly after </code>; else Telegram ignores the \
                           language";
            return self.error(at, message);
        }
        Ok(())
    }

    fn letter(&mut self, at: usize, letter: char) {
        // Blanks at the beginning are dropped.
        if self.parts.is_empty() && is_blank(letter) {
            return;
        }
        self.count(at, letter.len_utf16());
        push_text(&mut self.parts, letter.encode_utf8(&mut [0; 4]));
    }

    fn count(&mut self, at: usize, units: usize) {
        self.units += units;
        if self.units > self.limit.units() {
            self.limit_at.get_or_insert(at);
        }
    }

    fn count_element(&mut self, at: usize, element: &Element) -> Result<(), TextError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            let message = format!("expected at most {MAX_ELEMENTS} elements in a text");
            return self.error(at, message);
        }
        if let Element::Link(link) = element {
            self.address_bytes += link.max_bytes();
        }
        if self.address_bytes > MAX_ADDRESS_BYTES {
            let message = format!(
                "expected addresses of at most {} bytes in all, with the longest names",
                count(MAX_ADDRESS_BYTES)
            );
            return self.error(at, message);
        }
        Ok(())
    }

    /// Reads a tag after its `<`.
    fn opening_tag(&mut self, at: usize) -> Result<(), TextError> {
        let name = self.cursor.take_while(|c| c.is_alphanumeric() || "-_:!".contains(c));
        if name.is_empty() {
            return self.error(at, "expected a tag such as <b>; write &lt; for a '<'");
        }
        let lower = name.to_ascii_lowercase();
        let Some((name, tag)) = TAGS.into_iter().find(|(known, _)| *known == lower) else {
            return self.error(at, unknown_tag(&lower));
        };
        let attributes = Attributes::read(&mut self.cursor, name, tag, at)?;
        self.content(at)?;
        self.nested(name, tag, at)?;

        let parent = self.open.last();
        let is_in_pre = tag == Tag::Code && parent.is_some_and(|open| open.tag == Tag::Pre);
        let open = Open {
            tag,
            name,
            at,
            single: if tag.is_single() {
                Some((tag, name))
            } else {
                parent.and_then(|open| open.single)
            },
            is_in_quote: tag == Tag::Blockquote || parent.is_some_and(|open| open.is_in_quote),
            is_in_pre,
            is_complete: false,
        };
        if is_in_pre {
            let language = attributes.language(&self.cursor)?;
            if let Some(Part::Open(Element::Pre { language: pre })) = self.parts.last_mut() {
                *pre = language;
            }
        } else {
            let element = attributes.element(&self.cursor)?;
            self.count_element(at, &element)?;
            self.parts.push(Part::Open(element));
        }
        self.open.push(open);
        Ok(())
    }

    /// Refuses an element where Telegram would drop it (Bot API, "Formatting options").
    fn nested(&self, name: &str, tag: Tag, at: usize) -> Result<(), TextError> {
        let Some(parent) = self.open.last() else { return Ok(()) };
        if let Some((around, around_name)) = parent.single {
            let is_first = matches!(self.parts.last(), Some(Part::Open(Element::Pre { .. })));
            if parent.tag == Tag::Pre && tag == Tag::Code {
                return if is_first {
                    Ok(())
                } else {
                    self.error(at, "expected <code> directly after <pre>")
                };
            }
            if around.is_code() {
                let message = format!("expected only text in <{around_name}>, not <{name}>");
                return self.error(at, message);
            }
            if tag.is_single() || tag == Tag::Blockquote {
                let message = format!("<{name}> cannot stand in <{around_name}>");
                return self.error(at, format!("{message}; expected it before or after"));
            }
        }
        if tag == Tag::Blockquote && parent.is_in_quote {
            return self
                .error(at, "<blockquote> cannot stand in another one; expected </blockquote>");
        }
        Ok(())
    }

    /// Reads a tag after its `</`.
    fn closing_tag(&mut self, at: usize) -> Result<(), TextError> {
        let name = self.cursor.take_while(|c| c.is_alphanumeric() || "-_:!".contains(c));
        let shown = shortened(name);
        self.cursor.skip_blanks();
        if !self.cursor.skip(">") {
            return self.error(at, format!("expected '>' after '</{shown}'"));
        }
        let Some(open) = self.open.pop() else {
            return self.error(at, format!("there is no <{shown}> before </{shown}>"));
        };
        if !open.name.eq_ignore_ascii_case(name) {
            let place = self.cursor.error(open.at, "");
            return self.error(
                at,
                format!(
                    "expected </{0}>, not </{shown}>; <{0}> was opened in line {1}, column {2}",
                    open.name, place.line, place.column
                ),
            );
        }
        if open.tag == Tag::CustomEmoji && matches!(self.parts.last(), Some(Part::Open(_))) {
            return self.error(at, "expected an emoji before </tg-emoji>");
        }
        match self.open.last_mut() {
            Some(pre) if open.is_in_pre => pre.is_complete = true,
            _ => self.parts.push(Part::Close),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<MessageText, TextError> {
        if let Some(Part::Text(text)) = self.parts.last_mut() {
            let kept = text.trim_end_matches(is_blank).len();
            self.units -= text.len() - kept;
            text.truncate(kept);
            if text.is_empty() {
                self.parts.pop();
            }
        }
        if !self.parts.iter().any(is_always_visible) {
            let message = if self.parts.iter().any(|part| matches!(part, Part::Variable(_))) {
                "expected a visible character or a fallback, such as {first_name|friend}; the text \
                 is empty for users without a value"
            } else {
                "expected a text with at least one visible character"
            };
            return self.error(0, message);
        }
        let (limit, units) = (self.limit.units(), self.units);
        let has_variables = self.parts.iter().any(|part| matches!(part, Part::Variable(_)));
        let names = if has_variables { " with the longest names" } else { "" };
        if units > limit {
            let message = format!(
                "expected at most {} characters, of which an emoji counts as two; this text has \
                 {}{names}",
                count(limit),
                count(units)
            );
            return self.error(self.limit_at.unwrap_or_default(), message);
        }
        let text = MessageText { parts: self.parts, max_units: units };
        let bytes = text.max_html_bytes();
        if bytes > MAX_HTML_BYTES {
            let message = format!(
                "expected at most {} bytes of HTML; this text has {}{names}",
                count(MAX_HTML_BYTES),
                count(bytes)
            );
            return Err(self.cursor.error(0, message));
        }
        Ok(text)
    }
}

fn count(number: usize) -> String {
    grouped(u64::try_from(number).unwrap_or(u64::MAX))
}

/// Telegram drops these at both ends of a text.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\t')
}

/// Whether a part has a visible character for every user.
fn is_always_visible(part: &Part) -> bool {
    let text = match part {
        Part::Text(text) => Some(text),
        Part::Variable(placeholder) => placeholder.fallback.as_ref(),
        Part::Open(_) | Part::Close => None,
    };
    text.is_some_and(|text| shows(text))
}

/// That a tag is not known, and what to write in its place.
fn unknown_tag(name: &str) -> String {
    let names = || TAGS.into_iter().map(|(name, _)| name);
    let hint = match name {
        "br" | "p" => Some("expected a line break in the text"),
        "li" | "ul" | "ol" => Some("expected a line that begins with a character such as •"),
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Some("expected <b>"),
        "spoiler" => Some("did you mean <tg-spoiler>?"),
        "emoji" => Some("did you mean <tg-emoji>?"),
        "time" => Some("did you mean <tg-time>?"),
        "q" | "quote" => Some("did you mean <blockquote>?"),
        _ => None,
    };
    let shown = shortened(name);
    if let Some(hint) = hint {
        return format!("unknown tag <{shown}>; {hint}");
    }
    if let Some(known) = most_like(names(), name) {
        return format!("unknown tag <{shown}>; did you mean <{known}>?");
    }
    let known: Vec<&str> = names().collect();
    let known = known.join(", ");
    format!("unknown tag <{shown}>; expected one of {known}; write &lt; for a '<'")
}
