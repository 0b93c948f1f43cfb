//! A text as HTML.

use std::fmt::{self, Display, Formatter, Write};

use super::{Element, LinkPart, MessageText, Part, Placeholder, UserText};

/// The canonical source: variables and braces as they are written.
impl Display for MessageText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&html(&self.parts, Form::Source))
    }
}

impl UserText {
    /// The text in the form that the Bot API takes with `parse_mode` HTML. Unfilled variables are
    /// left out.
    pub fn html(&self) -> String {
        html(&self.parts, Form::Message)
    }
}

impl MessageText {
    /// The greatest number of bytes of the [HTML](UserText::html) for any user.
    pub(super) fn max_html_bytes(&self) -> usize {
        // The longest character of one UTF-16 unit is `&amp;`.
        const BYTES_OF_UNIT: usize = 5;
        let values = self.parts.iter().map(|part| match part {
            Part::Variable(placeholder) => placeholder.max_units() * BYTES_OF_UNIT,
            Part::Open(Element::Link(link)) => link.max_bytes() - link.url().len(),
            Part::Open(_) | Part::Text(_) | Part::Close => 0,
        });
        html(&self.parts, Form::Message).len() + values.sum::<usize>()
    }
}

/// For what HTML is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// To be parsed again.
    Source,
    /// To be sent.
    Message,
}

fn html(parts: &[Part], form: Form) -> String {
    let mut writer = Writer { html: String::new(), form };
    let mut open = Vec::new();
    for part in parts {
        match part {
            Part::Open(element) => {
                writer.open(element);
                open.push(element);
            }
            Part::Text(text) => writer.text(text, ""),
            Part::Variable(placeholder) => writer.placeholder(placeholder),
            Part::Close => writer.html.push_str(open.pop().map_or("", closing_tag)),
        }
    }
    writer.html
}

fn closing_tag(element: &Element) -> &'static str {
    match element {
        Element::Bold => "</b>",
        Element::Italic => "</i>",
        Element::Underline => "</u>",
        Element::Strikethrough => "</s>",
        Element::Spoiler => "</tg-spoiler>",
        Element::Link(_) => "</a>",
        Element::CustomEmoji { .. } => "</tg-emoji>",
        Element::Time { .. } => "</tg-time>",
        Element::Code => "</code>",
        Element::Pre { language: None } => "</pre>",
        Element::Pre { language: Some(_) } => "</code></pre>",
        Element::Blockquote { .. } => "</blockquote>",
    }
}

struct Writer {
    html: String,
    form: Form,
}

impl Writer {
    fn open(&mut self, element: &Element) {
        match element {
            Element::Bold => self.html.push_str("<b>"),
            Element::Italic => self.html.push_str("<i>"),
            Element::Underline => self.html.push_str("<u>"),
            Element::Strikethrough => self.html.push_str("<s>"),
            Element::Spoiler => self.html.push_str("<tg-spoiler>"),
            Element::Link(link) => {
                self.html.push_str("<a href=\"");
                for part in link.parts() {
                    match part {
                        LinkPart::Text(text) => self.text(text, "\""),
                        LinkPart::Variable(placeholder) => self.placeholder(placeholder),
                    }
                }
                self.html.push_str("\">");
            }
            Element::CustomEmoji { id } => self.attribute("<tg-emoji emoji-id", &id.to_string()),
            Element::Time { unix, format } if format.is_empty() => {
                self.attribute("<tg-time unix", &unix.to_string());
            }
            Element::Time { unix, format } => {
                self.attribute(&format!("<tg-time unix=\"{unix}\" format"), format);
            }
            Element::Code => self.html.push_str("<code>"),
            Element::Pre { language: None } => self.html.push_str("<pre>"),
            Element::Pre { language: Some(language) } => {
                self.attribute("<pre><code class", &format!("language-{language}"));
            }
            Element::Blockquote { is_expandable: false } => self.html.push_str("<blockquote>"),
            Element::Blockquote { is_expandable: true } => {
                self.html.push_str("<blockquote expandable>");
            }
        }
    }

    /// A tag that ends with an attribute of this value.
    fn attribute(&mut self, tag: &str, value: &str) {
        self.html.push_str(tag);
        self.html.push_str("=\"");
        self.text(value, "\"");
        self.html.push_str("\">");
    }

    fn placeholder(&mut self, Placeholder { variable, fallback }: &Placeholder) {
        if self.form == Form::Message {
            return;
        }
        self.html.push('{');
        self.html.push_str(variable.name());
        if let Some(fallback) = fallback {
            self.html.push('|');
            self.text(fallback, "{|}\"");
        }
        self.html.push('}');
    }

    /// A text in which characters with a meaning are escaped, and those of `special` too.
    fn text(&mut self, text: &str, special: &str) {
        for c in text.chars() {
            match c {
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '&' => self.html.push_str("&amp;"),
                // A string takes every character, so writing cannot fail.
                _ if special.contains(c) => {
                    let _ = write!(self.html, "&#{};", u32::from(c));
                }
                '{' | '}' if self.form == Form::Source => self.html.extend([c, c]),
                _ => self.html.push(c),
            }
        }
    }
}
