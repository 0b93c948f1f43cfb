//! A text as words, parentheses and signs.

use super::FilterError;

/// The most bytes that the text of a filter may have.
pub const MAX_FILTER_BYTES: usize = 4096;
/// The most terms that a filter may have.
pub const MAX_FILTER_TERMS: usize = 200;
/// The deepest nesting of parentheses and negations.
pub const MAX_FILTER_DEPTH: usize = 50;

/// A part of a text, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// The number of characters before it.
    pub(super) at: usize,
    pub(super) kind: TokenKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Open,
    Close,
    Minus,
    Word(Vec<Letter>),
}

/// A character of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) letter: char,
    /// Whether it is in quotes, where no character has a meaning of its own.
    pub(super) is_quoted: bool,
    /// The number of characters before it.
    pub(super) at: usize,
}

/// The letters of a word, and whether none of them is quoted.
pub(super) fn text_of(letters: &[Letter]) -> (String, bool) {
    (letters.iter().map(|it| it.letter).collect(), letters.iter().all(|it| !it.is_quoted))
}

/// Divides a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    if text.len() > MAX_FILTER_BYTES {
        let message = format!("expected at most {MAX_FILTER_BYTES} bytes; this has {}", text.len());
        return Err(FilterError { at: 0, message });
    }
    let mut letters = text.chars().enumerate().peekable();
    let mut tokens = Vec::new();
    while let Some((at, letter)) = letters.next() {
        let kind = match letter {
            _ if letter.is_whitespace() => continue,
            '(' => TokenKind::Open,
            ')' => TokenKind::Close,
            '-' => TokenKind::Minus,
            _ => {
                let mut word = Vec::new();
                let mut next = Some((at, letter));
                while let Some((at, letter)) = next {
                    if letter == '"' {
                        quoted(at, &mut letters, &mut word)?;
                    } else {
                        word.push(storable(at, letter, false)?);
                    }
                    next = letters.next_if(|(_, it)| !it.is_whitespace() && !"()".contains(*it));
                }
                TokenKind::Word(word)
            }
        };
        tokens.push(Token { at, kind });
    }
    Ok(tokens)
}

/// Adds the letters up to the closing quote; `\"` and `\\` stand for `"` and `\`.
fn quoted(
    opened_at: usize,
    letters: &mut impl Iterator<Item = (usize, char)>,
    word: &mut Vec<Letter>,
) -> Result<(), FilterError> {
    let before = word.len();
    let open = || FilterError {
        at: opened_at,
        message: "a quote is not closed; expected another \" after the text".to_owned(),
    };
    loop {
        let (at, letter) = letters.next().ok_or_else(open)?;
        match letter {
            '"' if word.len() == before => {
                let message = "there is nothing between the quotes; expected a text".to_owned();
                return Err(FilterError { at: opened_at, message });
            }
            '"' => return Ok(()),
            '\\' => {
                let (at, letter) = letters.next().ok_or_else(open)?;
                word.push(storable(at, letter, true)?);
            }
            _ => word.push(storable(at, letter, true)?),
        }
    }
}

/// PostgreSQL cannot store U+0000, and U+FFFD stands for bytes that are not UTF-8.
fn storable(at: usize, letter: char, is_quoted: bool) -> Result<Letter, FilterError> {
    if matches!(letter, '\0' | '\u{fffd}') {
        let message = "expected text; this is a U+0000 or a byte that is not UTF-8".to_owned();
        return Err(FilterError { at, message });
    }
    Ok(Letter { letter, is_quoted, at })
}
