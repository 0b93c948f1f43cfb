//! Telegram's [HTML style] for messages.
//!
//! [HTML style]: https://core.telegram.org/bots/api#html-style

use serde_json::{Map, Value, json};

/// A text without its markup, and the entities that the markup described.
#[derive(Debug, PartialEq)]
pub(crate) struct Formatted {
    pub(crate) text: String,
    pub(crate) entities: Vec<Value>,
}

impl Formatted {
    /// Adds the text to a message as `field`, if it is not empty, with its entities.
    pub(crate) fn add_to(&self, message: &mut Map<String, Value>, field: &str) {
        let entities = if field == "text" { "entities" } else { "caption_entities" };
        if !self.text.is_empty() {
            message.insert(field.to_owned(), json!(self.text));
        }
        if !self.entities.is_empty() {
            message.insert(entities.to_owned(), json!(self.entities));
        }
    }
}

/// Parses a text in HTML style.
///
/// Unlike Telegram, it rejects an `&` that starts no known entity: such a text was not escaped.
///
/// # Errors
/// The reason, to be shown after "can't parse entities: ".
pub(crate) fn parse_html(html: &str) -> Result<Formatted, String> {
    let mut parser =
        Parser { html, at: 0, text: String::new(), units: 0, open: vec![], entities: vec![] };
    while let Some(next) = parser.rest().chars().next() {
        match next {
            '<' if parser.rest().starts_with("</") => parser.end_tag()?,
            '<' => parser.start_tag()?,
            '&' => parser.entity()?,
            _ => parser.plain(),
        }
    }
    match parser.open.pop() {
        Some(tag) => {
            let name = tag.name;
            Err(format!("Can't find end tag corresponding to start tag \"{name}\""))
        }
        None => Ok(Formatted { text: parser.text, entities: parser.entities }),
    }
}

struct Parser<'a> {
    html: &'a str,
    at: usize,
    text: String,
    /// The length of `text` in UTF-16 code units, as Telegram counts.
    units: usize,
    open: Vec<Tag<'a>>,
    entities: Vec<Value>,
}

struct Tag<'a> {
    name: &'a str,
    entity: Value,
    from: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.html.get(self.at..).unwrap_or_default()
    }

    fn plain(&mut self) {
        let rest = self.rest();
        let plain = rest.split(['<', '&']).next().unwrap_or(rest);
        self.append(plain);
        self.at += plain.len();
    }

    fn append(&mut self, text: &str) {
        self.text.push_str(text);
        self.units += text.encode_utf16().count();
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let start = self.at;
        let Some((inside, _)) = self.rest().get(1..).and_then(|rest| rest.split_once('>')) else {
            return Err(format!("Unclosed start tag at byte offset {start}"));
        };
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let Some(kind) = entity_type(name) else {
            return Err(format!("Unsupported start tag \"{name}\" at byte offset {start}"));
        };
        let entity = match kind {
            "text_link" => attribute(attributes, "href")
                .map_or(json!({ "type": "url" }), |url| json!({ "type": kind, "url": url })),
            "spoiler" if name == "span" && attribute(attributes, "class") != Some("tg-spoiler") => {
                return Err(format!(
                    "Tag \"span\" must have class \"tg-spoiler\" at byte offset {start}"
                ));
            }
            "custom_emoji" => match attribute(attributes, "emoji-id") {
                Some(id) => json!({ "type": kind, "custom_emoji_id": id }),
                None => {
                    return Err(format!("Invalid custom emoji identifier at byte offset {start}"));
                }
            },
            _ => json!({ "type": kind }),
        };
        self.at += inside.len() + 2;
        self.open.push(Tag { name, entity, from: self.units });
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let start = self.at;
        let Some((name, _)) = self.rest().get(2..).and_then(|rest| rest.split_once('>')) else {
            return Err(format!("Unclosed end tag at byte offset {start}"));
        };
        self.at += name.len() + 3;
        let name = name.trim_end();
        let Some(tag) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {start}"));
        };
        if !name.is_empty() && !name.eq_ignore_ascii_case(tag.name) {
            return Err(format!(
                "Unmatched end tag at byte offset {start}, expected \"</{}>\", found \"</{name}>\"",
                tag.name
            ));
        }
        self.close(tag);
        Ok(())
    }

    fn close(&mut self, tag: Tag<'_>) {
        let Tag { mut entity, from, .. } = tag;
        if let Value::Object(fields) = &mut entity
            && self.units > from
        {
            fields.insert("offset".into(), json!(from));
            fields.insert("length".into(), json!(self.units - from));
            self.entities.push(entity);
        }
    }

    fn entity(&mut self) -> Result<(), String> {
        let start = self.at;
        let decoded =
            self.rest().get(1..).and_then(|rest| rest.split_once(';')).and_then(|(name, _)| {
                let decoded = match name {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    "quot" => '"',
                    _ => numeric(name.strip_prefix('#')?)?,
                };
                Some((decoded, name.len() + 2))
            });
        let Some((decoded, length)) = decoded else {
            return Err(format!("Unescaped \"&\" at byte offset {start}"));
        };
        self.append(decoded.encode_utf8(&mut [0; 4]));
        self.at += length;
        Ok(())
    }
}

/// The entity type of a tag; `None` if Telegram does not support the tag.
fn entity_type(tag: &str) -> Option<&'static str> {
    Some(match tag.to_ascii_lowercase().as_str() {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "a" => "text_link",
        "code" => "code",
        "pre" => "pre",
        "span" | "tg-spoiler" => "spoiler",
        "tg-emoji" => "custom_emoji",
        "blockquote" => "blockquote",
        _ => return None,
    })
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = attributes.split_once(name)?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next(),
        _ => value.split_whitespace().next(),
    }
}

fn numeric(digits: &str) -> Option<char> {
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: Result<&str, &str>) {
        let parsed = parse_html(html);
        let text = parsed.as_ref().map(|formatted| formatted.text.as_str());
        assert_eq!(text.map_err(String::as_str), expected, "{html}");
    }

    #[test]
    fn well_formed_markup_is_removed() {
        check("plain > text", Ok("plain > text"));
        check(
            "<b>bold <i>both</i></b> &lt;&amp;&gt;&quot;&#39;&#x1F3D2;",
            Ok("bold both <&>\"'🏒"),
        );
        check("<a href=\"https://nhl.com?a=1&b=2\">site</a>", Ok("site"));
        check("<blockquote expandable>long</blockquote>", Ok("long"));
        check("<span class=\"tg-spoiler\">goal</span><tg-spoiler>!</tg-spoiler>", Ok("goal!"));
        check("<pre><code class=\"language-rust\">fn</code></pre>", Ok("fn"));
        check("<tg-emoji emoji-id=\"5368\">👍</tg-emoji>", Ok("👍"));
    }

    #[test]
    fn unescaped_text_and_wrong_markup_are_refused() {
        check("Ann & Co", Err("Unescaped \"&\" at byte offset 4"));
        check("&nbsp;", Err("Unescaped \"&\" at byte offset 0"));
        check("1 < 2", Err("Unclosed start tag at byte offset 2"));
        check("<div>x</div>", Err("Unsupported start tag \"div\" at byte offset 0"));
        check("<b>x", Err("Can't find end tag corresponding to start tag \"b\""));
        check("x</b>", Err("Unexpected end tag at byte offset 1"));
        check(
            "<b><i>x</b></i>",
            Err("Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\""),
        );
        check(
            "<span>x</span>",
            Err("Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
        );
    }

    #[test]
    fn offsets_and_lengths_count_utf_16_units() {
        let formatted = parse_html("🏒 <b>Zoë</b>").unwrap();
        assert_eq!(formatted.entities, [json!({ "type": "bold", "offset": 3, "length": 3 })]);
    }
}
