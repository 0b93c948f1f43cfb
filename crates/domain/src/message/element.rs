//! Formatting, as the Bot API has it.

use super::Link;

/// Formatting of a part of a text (Bot API, "HTML style" and "MessageEntity").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// `<b>` or `<strong>`.
    Bold,
    /// `<i>` or `<em>`.
    Italic,
    /// `<u>` or `<ins>`.
    Underline,
    /// `<s>`, `<strike>` or `<del>`.
    Strikethrough,
    /// `<tg-spoiler>` or `<span class="tg-spoiler">`: hidden until it is pressed.
    Spoiler,
    /// `<a href="…">`.
    Link(Link),
    /// `<tg-emoji emoji-id="…">`, with the emoji that stands for it elsewhere.
    CustomEmoji {
        /// The id of the custom emoji.
        id: u64,
    },
    /// `<tg-time unix="…" format="…">`: a time, shown in the time zone of the user.
    Time {
        /// The time in seconds since 1970.
        unix: u32,
        /// How it is shown: `r`, or any of `w`, `d` or `D`, and `t` or `T`, in this order.
        format: String,
    },
    /// `<code>`: a few words in a fixed width.
    Code,
    /// `<pre>`, or `<pre><code class="language-…">`: lines in a fixed width.
    Pre {
        /// The programming language.
        language: Option<String>,
    },
    /// `<blockquote>` or `<blockquote expandable>`.
    Blockquote {
        /// Whether only the beginning is shown until it is pressed.
        is_expandable: bool,
    },
}

/// A kind of element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    /// `<span>`, which has to be a spoiler.
    Span,
    Link,
    CustomEmoji,
    Time,
    Code,
    Pre,
    Blockquote,
}

/// The names of tags.
pub(super) const TAGS: [(&str, Tag); 17] = [
    ("b", Tag::Bold),
    ("strong", Tag::Bold),
    ("i", Tag::Italic),
    ("em", Tag::Italic),
    ("u", Tag::Underline),
    ("ins", Tag::Underline),
    ("s", Tag::Strikethrough),
    ("strike", Tag::Strikethrough),
    ("del", Tag::Strikethrough),
    ("tg-spoiler", Tag::Spoiler),
    ("span", Tag::Span),
    ("a", Tag::Link),
    ("tg-emoji", Tag::CustomEmoji),
    ("tg-time", Tag::Time),
    ("code", Tag::Code),
    ("pre", Tag::Pre),
    ("blockquote", Tag::Blockquote),
];

impl Tag {
    /// The attributes of the tag.
    pub(super) fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Link => &["href"],
            Self::CustomEmoji => &["emoji-id"],
            Self::Time => &["unix", "format"],
            Self::Span | Self::Code => &["class"],
            Self::Blockquote => &["expandable"],
            _ => &[],
        }
    }

    /// Whether the content can have no element but bold, italic, underline, strikethrough and
    /// spoiler.
    pub(super) fn is_single(self) -> bool {
        matches!(self, Self::Link | Self::CustomEmoji | Self::Time | Self::Code | Self::Pre)
    }

    /// Whether the content is text only.
    pub(super) fn is_code(self) -> bool {
        matches!(self, Self::Code | Self::Pre)
    }
}
