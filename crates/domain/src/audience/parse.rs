//! A text as a filter. `or` binds weaker than a blank, and `-` strongest.

use std::str::FromStr;

use super::{
    Filter, FilterError, MAX_FILTER_BYTES, MAX_FILTER_DEPTH, MAX_FILTER_TERMS,
    filter::{Node, all, any, negated},
    lexer::{Letter, Token, TokenKind, text_of, tokens},
    values::term,
};

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Ok(Self::everyone());
        }
        let mut parser = Parser { tokens: &tokens, end: text.chars().count(), terms: 0, depth: 0 };
        let node = parser.alternatives()?;
        match parser.tokens.first() {
            None => fitting(Self(node)),
            Some(token) => Err(token.error("there is no '(' for this ')'")),
        }
    }
}

/// A filter is stored in its canonical form, which may be longer than what was typed.
fn fitting(filter: Filter) -> Result<Filter, FilterError> {
    let bytes = filter.to_string().len();
    if bytes <= MAX_FILTER_BYTES {
        return Ok(filter);
    }
    let message =
        format!("expected at most {MAX_FILTER_BYTES} bytes in full form; this has {bytes}");
    Err(FilterError { at: 0, message })
}

impl Token {
    fn error(&self, message: &str) -> FilterError {
        FilterError { at: self.at, message: message.to_owned() }
    }
}

/// A word that joins terms, in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Or,
    And,
    Not,
}

fn joint(letters: &[Letter]) -> Option<Joint> {
    let (text, is_plain) = text_of(letters);
    match text.to_ascii_lowercase().as_str() {
        _ if !is_plain => None,
        "or" => Some(Joint::Or),
        "and" => Some(Joint::And),
        "not" => Some(Joint::Not),
        _ => None,
    }
}

struct Parser<'a> {
    /// What is left.
    tokens: &'a [Token],
    /// The number of characters of the text.
    end: usize,
    terms: usize,
    depth: usize,
}

impl Parser<'_> {
    fn next_joint(&self) -> Option<Joint> {
        match self.tokens.first().map(|token| &token.kind) {
            Some(TokenKind::Word(letters)) => joint(letters),
            _ => None,
        }
    }

    fn skip(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    fn expected(&self, what: &str) -> FilterError {
        let at = self.tokens.first().map_or(self.end, |token| token.at);
        FilterError { at, message: format!("expected {what}") }
    }

    /// Parts with `or` between them.
    fn alternatives(&mut self) -> Result<Node, FilterError> {
        let mut parts = vec![self.sequence("a term")?];
        while self.next_joint() == Some(Joint::Or) {
            self.skip();
            parts.push(self.sequence("a term after 'or'")?);
        }
        Ok(any(parts))
    }

    /// Parts with blanks or `and` between them.
    fn sequence(&mut self, expected: &str) -> Result<Node, FilterError> {
        let mut parts = vec![self.part(expected)?];
        loop {
            match (self.next_joint(), self.tokens.first().map(|token| &token.kind)) {
                (Some(Joint::Or), _) | (_, None | Some(TokenKind::Close)) => return Ok(all(parts)),
                (Some(Joint::And), _) => {
                    self.skip();
                    parts.push(self.part("a term after 'and'")?);
                }
                _ => parts.push(self.part("a term")?),
            }
        }
    }

    /// A term, a part in parentheses, or the opposite of one.
    fn part(&mut self, expected: &str) -> Result<Node, FilterError> {
        let Some(token) = self.tokens.first() else { return Err(self.expected(expected)) };
        match &token.kind {
            TokenKind::Close => Err(self.expected(expected)),
            TokenKind::Minus => self.nested(token, |parser| {
                parser.skip();
                let is_apart = parser.tokens.first().is_none_or(|next| next.at != token.at + 1);
                if is_apart {
                    return Err(token.error("expected a term directly after '-'"));
                }
                parser.part("a term directly after '-'").map(negated)
            }),
            TokenKind::Open => self.nested(token, |parser| {
                parser.skip();
                let node = parser.alternatives()?;
                match parser.tokens.first().map(|token| &token.kind) {
                    Some(TokenKind::Close) => {
                        parser.skip();
                        Ok(node)
                    }
                    _ => Err(token.error("there is no ')' for this '('")),
                }
            }),
            TokenKind::Word(letters) => match joint(letters) {
                Some(Joint::Not) => self.nested(token, |parser| {
                    parser.skip();
                    parser.part("a term after 'not'").map(negated)
                }),
                Some(Joint::Or | Joint::And) => {
                    let (word, _) = text_of(letters);
                    let hint = format!("{expected}; to search for the word, write \"{word}\"");
                    Err(self.expected(&hint))
                }
                None => {
                    self.terms += 1;
                    if self.terms > MAX_FILTER_TERMS {
                        let message = format!("expected at most {MAX_FILTER_TERMS} terms");
                        return Err(token.error(&message));
                    }
                    self.skip();
                    term(letters).map(Node::Term)
                }
            },
        }
    }

    fn nested(
        &mut self,
        token: &Token,
        parse: impl FnOnce(&mut Self) -> Result<Node, FilterError>,
    ) -> Result<Node, FilterError> {
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            let message = format!(
                "expected parentheses and negations nested at most {MAX_FILTER_DEPTH} deep"
            );
            return Err(token.error(&message));
        }
        let node = parse(self)?;
        self.depth -= 1;
        Ok(node)
    }
}
