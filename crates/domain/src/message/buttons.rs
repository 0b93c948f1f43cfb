use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
};

use super::{TextError, link::check_url};
use crate::{MAX_BUTTONS, StartPayload, is_visible};

/// The most buttons in a row.
pub const MAX_BUTTONS_IN_ROW: usize = 8;
/// The most characters of a button's text.
pub const MAX_BUTTON_CHARS: usize = 64;
/// The most bytes of all buttons. Telegram refuses keyboards of about 10,000 bytes
/// (`REPLY_MARKUP_TOO_LONG`).
const MAX_BYTES: usize = 9000;

/// The buttons below a message (Bot API, "InlineKeyboardMarkup"). They are the same for all users,
/// so they have no variables.
///
/// As text, each line is a row, and ` | ` separates the buttons of a row:
///
/// ```text
/// Shop = https://example.org/shop
/// Help = https://example.org/help | Start over = /start again
/// I come = press:See you there! | Not this time = press
/// ```
///
/// Buttons print themselves in this form, which parses to equal buttons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buttons(Vec<Vec<Button>>);

impl Buttons {
    /// The rows, from the top; none is empty.
    pub fn rows(&self) -> &[Vec<Button>] {
        &self.0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// The buttons with their numbers: 1 for the first one of the first row, counted row by row.
    pub fn numbered(&self) -> impl Iterator<Item = (u16, &Button)> {
        (1..).zip(self.0.iter().flatten())
    }

    /// The button of a number.
    pub fn get(&self, number: u16) -> Option<&Button> {
        self.numbered().find(|(its, _)| *its == number).map(|(_, button)| button)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A button, and what a press of it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    text: String,
    target: ButtonTarget,
}

impl Button {
    /// The text on the button.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// About how many bytes the button takes in a request.
    fn bytes(&self) -> usize {
        const BESIDE_VALUES: usize = 24;
        BESIDE_VALUES + self.text.len() + self.target.bytes()
    }

    /// What a press does.
    pub fn target(&self) -> &ButtonTarget {
        &self.target
    }
}

/// What a press of a button does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ButtonTarget {
    /// It opens an address that begins with http://, https:// or tg://.
    Url(String),
    /// It opens the bot itself, by a deep link: `/start PAYLOAD`.
    Start(StartPayload),
    /// It is counted, and a text pops up, if there is one: `press:Thanks!`.
    Press(Option<String>),
}

impl ButtonTarget {
    /// The address, for a bot with this username, which is given without `@`; `None` if it opens none.
    pub fn url(&self, bot_username: &str) -> Option<String> {
        match self {
            Self::Url(url) => Some(url.clone()),
            Self::Start(payload) => Some(format!("https://t.me/{bot_username}?start={payload}")),
            Self::Press(_) => None,
        }
    }

    /// Whether the bot learns of a press.
    pub fn counts_presses(&self) -> bool {
        !matches!(self, Self::Url(_))
    }

    /// How many bytes it takes in a request at most.
    fn bytes(&self) -> usize {
        const LONGEST_USERNAME: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";
        const LONGEST_DATA: usize = 64;
        match self {
            // A payload may name its button, too.
            Self::Start(payload) => {
                let url = self.url(LONGEST_USERNAME).unwrap_or_default();
                url.len() - payload.as_str().len() + LONGEST_DATA
            }
            Self::Url(url) => url.len(),
            Self::Press(_) => LONGEST_DATA,
        }
    }
}

impl Display for ButtonTarget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Start(payload) => write!(f, "{START} {payload}"),
            Self::Press(None) => f.write_str(PRESS),
            Self::Press(Some(notice)) => write!(f, "{PRESS}:{notice}"),
        }
    }
}

impl Display for Buttons {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (line, row) in self.0.iter().enumerate() {
            f.write_str(if line > 0 { "\n" } else { "" })?;
            for (place, Button { text, target }) in row.iter().enumerate() {
                let before = if place > 0 { BETWEEN } else { "" };
                write!(f, "{before}{text} = {target}")?;
            }
        }
        Ok(())
    }
}

const START: &str = "/start";
const PRESS: &str = "press";
/// The most characters of a text that pops up (Bot API, "answerCallbackQuery").
const MAX_NOTICE_CHARS: usize = 200;
const BETWEEN: &str = " | ";

/// Parses rows of buttons; empty lines are skipped.
impl FromStr for Buttons {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        TextError::if_too_long(text)?;
        let mut rows = Vec::new();
        let (mut count, mut bytes) = (0, 0);
        for (line_at, line) in divided(text, "\n").filter(|(_, line)| !line.trim().is_empty()) {
            let mut row = Vec::new();
            for (at, field) in divided(line, BETWEEN) {
                let at = line_at + at + field.len() - field.trim_start().len();
                let error = |(place, message)| TextError::new(text, at + place, message);
                let button = button(field.trim()).map_err(error)?;
                (count, bytes) = (count + 1, bytes + button.bytes());
                row.push(button);
                if row.len() > MAX_BUTTONS_IN_ROW {
                    let message = format!("expected at most {MAX_BUTTONS_IN_ROW} buttons in a row");
                    return Err(error((0, message)));
                }
                if count > MAX_BUTTONS {
                    return Err(error((0, format!("expected at most {MAX_BUTTONS} buttons"))));
                }
                if bytes > MAX_BYTES {
                    let message = "expected fewer buttons, or shorter texts and addresses; Telegram \
                                   refuses more than about 9,000 bytes in all";
                    return Err(error((0, message.to_owned())));
                }
            }
            rows.push(row);
        }
        Ok(Self(rows))
    }
}

/// The parts of a text between separators, and the place of each.
fn divided<'a>(text: &'a str, separator: &'static str) -> impl Iterator<Item = (usize, &'a str)> {
    text.split(separator).scan(0, move |next, part| {
        let at = *next;
        *next += part.len() + separator.len();
        Some((at, part))
    })
}

/// A button, or where it is wrong and what is expected.
fn button(field: &str) -> Result<Button, (usize, String)> {
    let wrong = |at: usize, message: &str| Err((at, message.to_owned()));
    if let Some((at, _)) = field.char_indices().find(|(_, c)| c.is_control() || *c == '\u{fffd}') {
        return wrong(at, "expected text; this is a control character or a byte that is not UTF-8");
    }
    if let Some(at) = field.find(['{', '}']) {
        return wrong(at, "expected no brace; buttons have no variables");
    }
    let signs = field.match_indices('=').map(|(at, _)| at);
    let after = |at: usize| field.get(at + 1..).unwrap_or_default();
    let begins_target = |at: &usize| {
        let rest = after(*at).trim_start();
        let begins = |scheme: &&str| {
            rest.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme))
        };
        ["http://", "https://", "tg://", START].iter().any(begins) || notice_of(rest).is_some()
    };
    let Some(sign) = signs.clone().find(begins_target) else {
        let Some(sign) = signs.clone().next() else {
            return wrong(0, "expected a text and an address, such as Shop = https://example.org");
        };
        let blanks = after(sign).len() - after(sign).trim_start().len();
        let message = "expected an address that begins with http://, https:// or tg://, /start and \
                       a payload, or press";
        return wrong(sign + 1 + blanks, message);
    };
    let text = field.get(..sign).unwrap_or_default().trim_end();
    let target = after(sign).trim_start();
    let target_at = field.len() - target.len();
    if !is_visible(text) {
        return wrong(0, "expected the text of the button before '='");
    }
    if text.ends_with(" |") {
        return wrong(text.len() - 1, "expected a blank on both sides of '|'");
    }
    let chars = text.chars().count();
    if chars > MAX_BUTTON_CHARS {
        let message =
            format!("expected a text of at most {MAX_BUTTON_CHARS} characters; this has {chars}");
        return Err((0, message));
    }
    if let Some(notice) = notice_of(target) {
        let target = press(notice).map_err(|(at, message)| (target_at + at, message))?;
        return Ok(Button { text: text.to_owned(), target });
    }
    let target = match target.strip_prefix(START) {
        Some(payload) => {
            let payload = payload.strip_prefix(' ').unwrap_or_default().trim_start();
            let Ok(payload) = payload.parse() else {
                let message =
                    "expected a payload after '/start': 1 to 64 of A-Z, a-z, 0-9, _ and -";
                return wrong(target_at, message);
            };
            ButtonTarget::Start(payload)
        }
        None => {
            if let Some(at) = target.find('|') {
                return wrong(
                    target_at + at,
                    "expected a blank on both sides of '|'; in an address, %7C stands for it",
                );
            }
            check_url(target).map_err(|expected| (target_at, expected.to_owned()))?;
            ButtonTarget::Url(target.to_owned())
        }
    };
    Ok(Button { text: text.to_owned(), target })
}

/// What follows the word of a button that is counted: nothing, or a sign and a text.
fn notice_of(target: &str) -> Option<&str> {
    let (word, rest) = target.split_at_checked(PRESS.len())?;
    let is_end = rest.is_empty() || rest.starts_with(':');
    (word.eq_ignore_ascii_case(PRESS) && is_end).then_some(rest)
}

/// A button that is counted, or where its text is wrong and what is expected.
fn press(rest: &str) -> Result<ButtonTarget, (usize, String)> {
    let Some(notice) = rest.strip_prefix(':') else { return Ok(ButtonTarget::Press(None)) };
    let at = PRESS.len() + rest.len() - notice.trim_start().len();
    let notice = notice.trim();
    if !is_visible(notice) {
        return Err((at, "expected a text after 'press:', or only 'press'".to_owned()));
    }
    if let Some(sign) = notice.find('|') {
        return Err((at + sign, "expected a blank on both sides of '|'".to_owned()));
    }
    let chars = notice.chars().count();
    if chars > MAX_NOTICE_CHARS {
        let message =
            format!("expected a text of at most {MAX_NOTICE_CHARS} characters; this has {chars}");
        return Err((at, message));
    }
    Ok(ButtonTarget::Press(Some(notice.to_owned())))
}
