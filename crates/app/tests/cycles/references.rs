//! The paths in the code of a module, those in arguments of macros included.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{
    UseTree,
    parse::{Parse as _, Parser as _},
};

#[derive(Default)]
pub(crate) struct References {
    pub(crate) paths: BTreeSet<Vec<String>>,
    /// `use` declarations within functions.
    pub(crate) uses: Vec<UseTree>,
}

impl References {
    pub(crate) fn collect(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at..];
            at += match token {
                TokenTree::Group(group) => {
                    self.collect(group.stream());
                    1
                }
                TokenTree::Punct(_) if is_cfg_test(rest) => 2 + length_of_item(&rest[2..]),
                TokenTree::Ident(ident) if ident == "use" => self.collect_use(&rest[1..]) + 1,
                TokenTree::Ident(_) => {
                    let path = path_at(rest);
                    let length = 3 * path.len() - 2;
                    let before = &tokens[..at];
                    let is_member = before.last().is_some_and(|it| is_punct(it, '.'));
                    let is_of_another_crate = matches!(before, [.., first, second]
                        if is_punct(first, ':') && is_punct(second, ':'));
                    if !is_member && !is_of_another_crate {
                        self.paths.insert(path);
                    }
                    length
                }
                _ => 1,
            };
        }
    }

    /// Collects a `use` declaration, and returns how many tokens it has: none for the `use<'a>` of a
    /// type.
    fn collect_use(&mut self, rest: &[TokenTree]) -> usize {
        let length = rest.iter().position(|it| is_punct(it, ';')).unwrap_or(rest.len());
        let declaration: TokenStream = rest[..length].iter().cloned().collect();
        let Ok(tree) = UseTree::parse.parse2(declaration) else { return 0 };
        self.uses.push(tree);
        length
    }
}

/// The names of a path, of which each two have two colons between them.
fn path_at(tokens: &[TokenTree]) -> Vec<String> {
    let mut path = vec![];
    let mut rest = tokens;
    while let Some((TokenTree::Ident(name), after)) = rest.split_first() {
        path.push(name.to_string());
        match after {
            [first, second, next @ ..] if is_punct(first, ':') && is_punct(second, ':') => {
                rest = next;
            }
            _ => break,
        }
    }
    path
}

fn is_punct(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}

/// Whether the tokens begin with `#[cfg(test)]`.
fn is_cfg_test(tokens: &[TokenTree]) -> bool {
    match tokens {
        [hash, TokenTree::Group(group), ..] => {
            is_punct(hash, '#') && group.stream().to_string().replace(' ', "") == "cfg(test)"
        }
        _ => false,
    }
}

/// How many tokens an item or statement has: up to its block or semicolon.
fn length_of_item(tokens: &[TokenTree]) -> usize {
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(token, ';') || is_punct(token, ','),
    };
    tokens.iter().position(is_end).map_or(tokens.len(), |end| end + 1)
}
