//! Names and search terms as grams.

use std::collections::BTreeSet;

use rollcall_domain::{SearchTerm, SearchText};

/// The grams of names.
pub(super) fn grams_of(text: &SearchText) -> BTreeSet<i32> {
    let mut grams = BTreeSet::new();
    for word in text.words() {
        let word: Vec<char> = std::iter::once(' ').chain(word.chars()).collect();
        add_beginning(&word, &mut grams);
        grams.extend(word.windows(GRAM).map(gram));
    }
    grams
}

/// The grams of every user that matches a term.
pub(super) fn grams_of_term(term: &SearchTerm) -> BTreeSet<i32> {
    let mut grams = BTreeSet::new();
    for word in term.words() {
        let is_beginning = SearchTerm::is_beginning(word);
        let blank = is_beginning.then_some(' ');
        let word: Vec<char> = blank.into_iter().chain(word.chars()).collect();
        if word.len() < GRAM {
            add_beginning(&word, &mut grams);
        }
        grams.extend(word.windows(GRAM).map(gram));
    }
    grams
}

/// How many characters a gram has.
const GRAM: usize = 3;

/// Adds the gram of the first character of a word, which has a blank in front.
fn add_beginning(word: &[char], grams: &mut BTreeSet<i32>) {
    grams.extend(word.get(..2).map(gram));
}

/// The number of a gram: FNV-1a over its characters. Two grams may share a number, which does no harm.
fn gram(characters: &[char]) -> i32 {
    let hash = characters.iter().fold(0x811c_9dc5_u32, |hash, character| {
        (hash ^ u32::from(*character)).wrapping_mul(0x0100_0193)
    });
    i32::from_ne_bytes(hash.to_ne_bytes())
}

/// Grams as words of a text.
pub(super) fn tokens(grams: &BTreeSet<i32>, between: &str) -> String {
    let words: Vec<String> = grams.iter().map(|gram| format!("{gram:x}")).collect();
    words.join(between)
}
