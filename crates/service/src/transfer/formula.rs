//! Protects text that a spreadsheet would interpret as a formula, which could fetch or send data.
//!
//! Such text is prefixed with `'`, which marks text in spreadsheets. Text that begins with `'` is
//! prefixed too, so that every text can be read back unchanged. The same is done within a text: a
//! spreadsheet that separates fields by `;` or tabs begins a cell after each of them and in each
//! new line, also within our quotation marks.

use std::borrow::Cow;

const GUARD: char = '\'';

/// The text in a form that is safe for spreadsheets.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    if !text.contains(|it| it == GUARD || is_sign(it) || is_break(it)) {
        return text.into();
    }
    let mut guarded = String::with_capacity(text.len() + 1);
    for (cell, is_first) in cells(text) {
        if is_guarded(cell, is_first) {
            guarded.push(GUARD);
        }
        guarded.push_str(cell);
    }
    guarded.into()
}

/// The original of a [`guarded`] text.
pub(super) fn unguarded(text: &str) -> Cow<'_, str> {
    if !text.contains(GUARD) {
        return text.into();
    }
    let mut unguarded = String::with_capacity(text.len());
    for (cell, is_first) in cells(text) {
        let inner = cell.strip_prefix(GUARD).filter(|inner| is_guarded(inner, is_first));
        unguarded.push_str(inner.unwrap_or(cell));
    }
    unguarded.into()
}

/// The parts that a spreadsheet may read as cells, each with the character that ends it, and
/// whether it is the first.
fn cells(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.split_inclusive(is_break).zip(std::iter::once(true).chain(std::iter::repeat(false)))
}

/// Whether this cell is prefixed with `'`. The result must not depend on other cells.
fn is_guarded(cell: &str, is_first: bool) -> bool {
    let blank = |it: char| it.is_whitespace() && !is_break(it);
    let begins_a_formula = cell.trim_start_matches(blank).starts_with(is_sign);
    begins_a_formula
        || cell.starts_with(GUARD)
        || (is_first && cell.starts_with(['\t', '\r', '\n']))
}

/// The first characters of formulas, also in the full width of East Asian keyboards.
fn is_sign(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

fn is_break(character: char) -> bool {
    matches!(character, ';' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_become_text() {
        for (text, written) in [
            ("Ada", "Ada"),
            ("", ""),
            ("=1+2", "'=1+2"),
            ("+49", "'+49"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠SUM(A1)", "'＠SUM(A1)"),
            ("\t=1", "'\t'=1"),
            ("\r\n", "'\r\n"),
            ("  =1", "'  =1"),
            ("\u{a0}=1", "'\u{a0}=1"),
            ("Ada;=1+2", "Ada;'=1+2"),
            ("Ada; @SUM(A1)", "Ada;' @SUM(A1)"),
            ("Ada\t＝1", "Ada\t'＝1"),
            ("Ada\n-1\r+1", "Ada\n'-1\r'+1"),
            (";;=", ";;'="),
            ("Ada;Bob", "Ada;Bob"),
            ("a=b; c-d", "a=b; c-d"),
            ("'tis", "''tis"),
            ("O'Neill;'tis", "O'Neill;''tis"),
        ] {
            assert_eq!(guarded(text), written, "{text:?}");
        }
    }

    #[test]
    fn what_another_program_wrote_stays() {
        for text in ["'tis", "O'Neill", "'", "a;'b"] {
            assert_eq!(unguarded(text), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[-=+@＝＋－＠';\t\r\n \u{a0}a\"]{0,12}|\\PC{0,12}") {
            let written = guarded(&text);
            prop_assert_eq!(unguarded(&written), &*text);
            // No spreadsheet finds a formula in it, with any separator.
            for cell in written.split([';', '\t', '\r', '\n']) {
                prop_assert!(!cell.trim_start().starts_with(is_sign), "{:?}", cell);
            }
        }
    }
}
