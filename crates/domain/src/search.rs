//! Searching names. Text is folded here, so that every database finds the same users.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{TelegramId, TelegramUser, Username};

/// A search term: an id, or parts of names. Every word of it must match, in any order. A word of
/// three characters or more matches anywhere in the user's names or username. A shorter word
/// matches the beginning of a word, and a word with `@` the beginning of the username.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerm {
    text: String,
    words: Vec<String>,
}

impl SearchTerm {
    /// The most words of a term, or of a user's names, that are searched.
    pub const MAX_WORDS: usize = 16;
    /// The most characters of a term that are searched.
    pub const MAX_CHARS: usize = 100;

    /// Parses a term; `None` if it contains nothing to search for.
    pub fn new(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().take(Self::MAX_CHARS).collect();
        let mut words = words(&text);
        words.retain(|word| word != "@");
        words.dedup();
        (!words.is_empty()).then_some(Self { text, words })
    }

    /// Whether the text is short enough to be searched in full.
    pub(crate) fn is_whole(text: &str) -> bool {
        text.trim().chars().count() <= Self::MAX_CHARS
            && fold(text).split_whitespace().count() <= Self::MAX_WORDS
    }

    /// The text as it was typed, without surrounding blanks.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The words that must match, folded like those of [`SearchText`].
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether a word of a term matches only the beginning of a word, because it is short or a
    /// username.
    pub fn is_beginning(word: &str) -> bool {
        word.starts_with('@') || word.chars().nth(2).is_none()
    }

    /// The term as an id, if it is one.
    pub fn id(&self) -> Option<TelegramId> {
        self.text.parse().ok()
    }
}

/// A user's names in the form that is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText {
    words: Vec<String>,
}

impl SearchText {
    /// The first and last name of this user.
    pub fn of_names(user: &TelegramUser) -> Self {
        let mut words_of_names = words(&user.first_name);
        words_of_names.extend(words(user.last_name.as_deref().unwrap_or_default()));
        words_of_names.truncate(SearchTerm::MAX_WORDS);
        Self { words: words_of_names }
    }

    /// The names of this user, and the username.
    pub fn of(user: &TelegramUser) -> Self {
        let Self { words: mut all } = Self::of_names(user);
        let username = user.username.as_ref().map(Username::as_str).unwrap_or_default();
        all.extend(words(username).into_iter().map(|word| format!("@{word}")));
        Self { words: all }
    }

    /// The text: each word after a blank, the username after a blank and `@`.
    pub fn text(&self) -> String {
        self.words.iter().flat_map(|word| [" ", word]).collect()
    }

    /// Whether every word of a term matches. Ids are not compared.
    pub fn matches(&self, term: &SearchTerm) -> bool {
        let bare = self.words.iter().filter_map(|word| word.strip_prefix('@'));
        term.words.iter().all(|wanted| {
            let mut words = self.words.iter().map(String::as_str).chain(bare.clone());
            if SearchTerm::is_beginning(wanted) {
                words.any(|word| word.starts_with(wanted))
            } else {
                words.any(|word| word.contains(wanted))
            }
        })
    }

    /// The words for the lookup of beginnings, sorted and without duplicates. The username is in it
    /// with and without `@`.
    pub fn words(&self) -> Vec<&str> {
        let bare = self.words.iter().filter_map(|word| word.strip_prefix('@'));
        let mut words: Vec<&str> = self.words.iter().map(String::as_str).chain(bare).collect();
        words.retain(|word| !word.is_empty());
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// The folded words of a text.
fn words(text: &str) -> Vec<String> {
    fold(text).split_whitespace().take(SearchTerm::MAX_WORDS).map(str::to_owned).collect()
}

/// Folds a text: lower case, without accents. Letters are decomposed (NFKD) and their marks
/// removed, so that é becomes e, ё becomes е, й becomes и and 𝓐 becomes a. A few letters without a
/// decomposition are replaced by a table.
pub fn fold(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    let marks = |letter: &char| !is_combining_mark(*letter);
    for letter in text.nfkd().filter(marks).flat_map(char::to_lowercase).filter(marks) {
        match letter {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            letter if letter.is_control() => folded.push(' '),
            letter => folded.push(letter),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn case_and_accents_are_ignored() {
        for (text, expected) in [
            ("Zoë  Ångström", "zoe angstrom"),
            ("ПЁТР Чайковский", "петр чаиковскии"),
            ("Їжак", "іжак"),
            ("STRAẞE Łódź Ærø", "strasse lodz aero"),
            ("İstanbul ıssız", "istanbul issiz"),
            ("𝓐𝓭𝓪 ﬁn", "ada fin"),
            ("\u{1}a\tb\u{a0}c", "a b c"),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
        assert_eq!(words("Чайковский"), words("чаиковскии"));
        // Composed and decomposed letters are equal.
        assert_eq!(words("e\u{301}"), words("\u{e9}"));
    }

    #[test]
    fn a_username_is_found_with_and_without_its_sign() {
        let mut user = TelegramUser::new(1.try_into().unwrap(), DateTime::UNIX_EPOCH);
        user.first_name = "Ada  Ada".to_owned();
        user.last_name = Some("Lovelace".to_owned());
        user.username = Username::from_telegram("Ada_L");
        let text = SearchText::of(&user);
        assert_eq!(text.text(), " ada ada lovelace @ada_l");
        assert_eq!(text.words(), ["@ada_l", "ada", "ada_l", "lovelace"]);
        let unnamed = TelegramUser::new(1.try_into().unwrap(), DateTime::UNIX_EPOCH);
        assert_eq!(SearchText::of(&unnamed).text(), "");
    }

    #[test]
    fn every_word_of_a_term_must_match() {
        let mut user = TelegramUser::new(1.try_into().unwrap(), DateTime::UNIX_EPOCH);
        user.first_name = "Ada Byron".to_owned();
        user.last_name = Some("Чайковский".to_owned());
        user.username = Username::from_telegram("Mill_Engine");
        let matches = |term| SearchText::of(&user).matches(&SearchTerm::new(term).unwrap());
        for found in
            ["ada", "BYR", "yro", "byron ada", "чай", "йков", "mill", "l_e", "@mill", "mi", "a m"]
        {
            assert!(matches(found), "{found}");
        }
        for lost in ["da", "ro", "ada x", "@engine", "eng mix", "b a c", "onч", "@m @n"] {
            assert!(!matches(lost), "{lost}");
        }
    }

    #[test]
    fn a_term_has_words_and_may_be_an_id() {
        let term = SearchTerm::new("  Ádá love ").unwrap();
        assert_eq!((term.as_str(), term.words().join("|")), ("Ádá love", "ada|love".to_owned()));
        assert_eq!(term.id(), None);
        assert_eq!(SearchTerm::new("1815").unwrap().id().map(TelegramId::get), Some(1815));
        for nothing in ["", "  ", "@", "\u{301}"] {
            assert_eq!(SearchTerm::new(nothing), None, "{nothing:?}");
        }
        assert!(SearchTerm::new(&"a ".repeat(500)).unwrap().words().len() <= SearchTerm::MAX_WORDS);
    }
}
