use frankenstein::{
    ParseMode,
    types::{InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions},
};

use crate::outbox::Content;

/// A message of a bot: a text, with buttons below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    html: String,
    /// Rows of buttons, each with its caption and data.
    rows: Vec<Vec<(String, String)>>,
}

impl Reply {
    /// A text that is shown as it is.
    pub fn text(text: impl AsRef<str>) -> Self {
        let escaped = text.as_ref().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        Self::html(escaped)
    }

    /// A text with HTML as Telegram reads it (Bot API, "HTML style"). Text of users in it must be escaped.
    pub fn html(html: impl Into<String>) -> Self {
        Self { html: html.into(), rows: Vec::new() }
    }

    /// Adds a button to the last row. A press of it comes with `data`, of 1 to 64 bytes.
    #[must_use]
    pub fn button(mut self, caption: impl Into<String>, data: impl Into<String>) -> Self {
        let button = (caption.into(), data.into());
        match self.rows.last_mut() {
            Some(row) => row.push(button),
            None => self.rows.push(vec![button]),
        }
        self
    }

    /// Begins a row of buttons.
    #[must_use]
    pub fn row(mut self) -> Self {
        self.rows.push(Vec::new());
        self
    }

    /// What is sent, without previews of links.
    pub(super) fn content(&self) -> Content<'_> {
        let button = |(caption, data): &(String, String)| {
            InlineKeyboardButton::builder().text(caption).callback_data(data).build()
        };
        let rows = self.rows.iter().filter(|row| !row.is_empty());
        let rows: Vec<Vec<_>> = rows.map(|row| row.iter().map(button).collect()).collect();
        Content {
            text: &self.html,
            parse_mode: ParseMode::Html,
            link_preview_options: LinkPreviewOptions::builder().is_disabled(true).build(),
            reply_markup: (!rows.is_empty())
                .then(|| InlineKeyboardMarkup::builder().inline_keyboard(rows).build()),
        }
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_escaped_and_buttons_are_in_rows() {
        let reply =
            Reply::text("1 < 2 & 3").button("A", "a").button("B", "b").row().button("C", "c");
        let content = reply.content();
        assert_eq!(content.text, "1 &lt; 2 &amp; 3");
        let keyboard = content.reply_markup.unwrap().inline_keyboard;
        let captions: Vec<Vec<&str>> = keyboard
            .iter()
            .map(|row| row.iter().map(|button| button.text.as_str()).collect())
            .collect();
        assert_eq!(captions, [vec!["A", "B"], vec!["C"]]);
        assert!(Reply::html("<b>hi</b>").row().content().reply_markup.is_none());
    }
}
