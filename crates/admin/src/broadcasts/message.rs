//! A message as Telegram shows it, as safe HTML: written from its parts, so that nothing of it becomes
//! markup of ours.

use askama::Template;
use rollcall_domain::{
    BroadcastContent, BroadcastPlan, Buttons, Element, LinkPart, MessageText, Part, Picture,
    UserText, Variant,
};
use rollcall_service::Message;

use super::picture;

/// The bubbles of a message, one for each language.
#[derive(Debug, Template)]
#[template(path = "message_bubbles.html")]
pub(super) struct Bubbles {
    bubbles: Vec<Bubble>,
}

/// A message in one language.
#[derive(Debug)]
pub(super) struct Bubble {
    /// The language; empty for the default one.
    language: String,
    /// The picture above the text.
    picture: Option<Above>,
    /// Safe HTML.
    text: String,
    /// The texts of the buttons by row, and where each leads.
    buttons: Vec<Vec<(String, String)>>,
}

/// A picture above a text.
#[derive(Clone, Debug)]
enum Above {
    /// One that only Telegram has.
    FileId,
    /// One at this address.
    Stored(String),
}

impl Above {
    fn of(picture: &Picture, base: &str) -> Self {
        match picture {
            Picture::FileId(_) => Self::FileId,
            Picture::Stored(id) => Self::Stored(picture::address(base, &id.to_string())),
        }
    }
}

impl Bubbles {
    /// The message in all languages, with its variables. `None` if it is a copy of another message, or
    /// cannot be read any more.
    pub(super) fn of(content: &BroadcastContent, base: &str) -> Option<Self> {
        let Ok(Message::Text { texts, buttons, picture }) = Message::new(content) else {
            return None;
        };
        let above = picture.map(|picture| Above::of(&picture, base));
        let default = [("", texts.default_value())];
        let bubble = |(language, text): (&str, &MessageText)| Bubble {
            language: language.to_owned(),
            picture: above.clone(),
            text: source_html(text),
            buttons: rows(&buttons),
        };
        Some(Self { bubbles: default.into_iter().chain(texts.languages()).map(bubble).collect() })
    }

    /// The message of each variant, with its letter if there are several.
    pub(super) fn of_plan(plan: &BroadcastPlan, base: &str) -> Vec<(Option<Variant>, Self)> {
        let has_variants = plan.experiment.has_variants();
        let shown = |variant: Variant| {
            let bubbles = Self::of(plan.content_of(variant), base)?;
            Some((has_variants.then_some(variant), bubbles))
        };
        plan.experiment.variants().filter_map(shown).collect()
    }

    /// Whether there is more than one.
    pub(super) fn are_several(&self) -> bool {
        self.bubbles.len() > 1
    }

    /// The message to one user.
    pub(super) fn for_user(
        text: &UserText,
        buttons: &Buttons,
        picture: Option<&Picture>,
        base: &str,
    ) -> Self {
        let picture = picture.map(|picture| Above::of(picture, base));
        let text = html(text.parts(), Marks::Unfilled);
        let (language, buttons) = (String::new(), rows(buttons));
        Self { bubbles: vec![Bubble { language, picture, text, buttons }] }
    }
}

fn rows(buttons: &Buttons) -> Vec<Vec<(String, String)>> {
    let button = |it: &rollcall_domain::Button| (it.text().to_owned(), it.target().to_string());
    buttons.rows().iter().map(|row| row.iter().map(button).collect()).collect()
}

fn source_html(text: &MessageText) -> String {
    html(text.parts(), Marks::Variables)
}

/// How variables are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marks {
    /// They stand for what each user gets.
    Variables,
    /// A user has no value for them.
    Unfilled,
}

fn html(parts: &[Part], marks: Marks) -> String {
    let mut html = String::new();
    let mut open = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        match part {
            Part::Open(element) => open.push(begin(&mut html, element)),
            Part::Text(text) => {
                // A line break beside a block is the one that ends the line of the block.
                let is_after_block = BLOCKS.iter().any(|it| html.ends_with(it));
                let text = text.strip_prefix('\n').filter(|_| is_after_block).unwrap_or(text);
                let is_before_block = parts.get(place + 1).is_some_and(is_block);
                let text = text.strip_suffix('\n').filter(|_| is_before_block).unwrap_or(text);
                escape(&mut html, text);
            }
            Part::Variable(placeholder) => {
                let name = placeholder.variable.name();
                let (class, title) = match marks {
                    Marks::Variables => ("variable", placeholder.variable.meaning()),
                    Marks::Unfilled => ("unfilled", "This user has no value here"),
                };
                html.push_str("<mark class=\"");
                html.push_str(class);
                html.push_str("\" title=\"");
                escape(&mut html, title);
                html.push_str("\">{");
                html.push_str(name);
                if let Some(fallback) = placeholder.fallback.as_deref() {
                    html.push('|');
                    escape(&mut html, fallback);
                }
                html.push_str("}</mark>");
            }
            Part::Close => html.push_str(open.pop().unwrap_or_default()),
        }
    }
    html.extend(open.into_iter().rev());
    html
}

/// The ends of elements that have lines of their own.
const BLOCKS: [&str; 2] = ["</pre>", "</blockquote>"];

fn is_block(part: &Part) -> bool {
    matches!(part, Part::Open(Element::Pre { .. } | Element::Blockquote { .. }))
}

/// Writes the opening tag of an element. Returns the closing one.
fn begin(html: &mut String, element: &Element) -> &'static str {
    let (opening, closing) = match element {
        Element::Bold => ("<b>", "</b>"),
        Element::Italic => ("<i>", "</i>"),
        Element::Underline => ("<u>", "</u>"),
        Element::Strikethrough => ("<s>", "</s>"),
        Element::Spoiler => ("<span class=\"spoiler\" title=\"Hidden until pressed\">", "</span>"),
        Element::CustomEmoji { .. } => ("<span title=\"Custom emoji\">", "</span>"),
        Element::Time { .. } => {
            ("<span class=\"at\" title=\"In each user's time zone\">", "</span>")
        }
        Element::Code => ("<code>", "</code>"),
        Element::Pre { .. } => ("<pre>", "</pre>"),
        Element::Blockquote { is_expandable: false } => ("<blockquote>", "</blockquote>"),
        Element::Blockquote { is_expandable: true } => {
            ("<blockquote title=\"Expanded when pressed\">", "</blockquote>")
        }
        Element::Link(link) => {
            // Not a real link: what it opens depends on the user.
            html.push_str("<span class=\"link\" title=\"");
            for part in link.parts() {
                match part {
                    LinkPart::Text(text) => escape(html, text),
                    LinkPart::Variable(placeholder) => {
                        html.push('{');
                        html.push_str(placeholder.variable.name());
                        html.push('}');
                    }
                }
            }
            ("\">", "</span>")
        }
    };
    html.push_str(opening);
    closing
}

fn escape(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rollcall_domain::{TelegramUser, TextLimit};

    use super::*;

    fn shown(text: &str) -> String {
        source_html(&MessageText::parse(text, TextLimit::Message).unwrap())
    }

    #[test]
    fn each_element_is_shown_by_markup_of_ours() {
        for (text, expected) in [
            ("<b>a <i>b</i></b>", "<b>a <i>b</i></b>"),
            ("a\n<pre>b</pre>\n\nc", "a<pre>b</pre>\nc"),
            ("<ins>a</ins><del>b</del>", "<u>a</u><s>b</s>"),
            ("<pre><code class=\"language-x\">a</code></pre>", "<pre>a</pre>"),
            ("1 &lt; 2 &amp; \"3\" &gt; '0'", "1 &lt; 2 &amp; &quot;3&quot; &gt; &#39;0&#39;"),
            (
                "<a href=\"https://example.org/?a='&amp;b={username|x}\">go</a>",
                "<span class=\"link\" title=\"https://example.org/?a=&#39;&amp;b={username}\">go</span>",
            ),
            (
                "{first_name|&lt;you&gt;}",
                "<mark class=\"variable\" title=\"the first name\">{first_name|&lt;you&gt;}</mark>",
            ),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn a_name_is_text_and_a_missing_one_is_marked() {
        let text =
            MessageText::parse("Hi <b>{first_name}</b> {last_name}", TextLimit::Message).unwrap();
        let mut user = TelegramUser::new(1.try_into().unwrap(), DateTime::UNIX_EPOCH);
        user.first_name = "<script>\"'&".to_owned();
        assert_eq!(
            html(text.for_user(&user).parts(), Marks::Unfilled),
            "Hi <b>&lt;script&gt;&quot;&#39;&amp;</b> <mark class=\"unfilled\" \
             title=\"This user has no value here\">{last_name}</mark>"
        );
    }
}
