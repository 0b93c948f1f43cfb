//! How names are found: text is brought into one form, whichever database keeps it.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{TelegramId, TelegramUser, Username};

/// What somebody looks for: an id, or parts of names. Every word of it has to be found, in whatever
/// order: one of three characters or more anywhere in the user's names or username, a shorter one at
/// the beginning of a word; with `@` in front, at the beginning of the username.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTerm {
    text: String,
    words: Vec<String>,
}

impl SearchTerm {
    /// The most words of a term, or of a user's names, that count.
    pub const MAX_WORDS: usize = 16;
    /// The most characters of a term that count.
    pub const MAX_CHARS: usize = 100;

    /// The term that this text is; `None` where there is nothing in it to look for.
    pub fn new(text: &str) -> Option<Self> {
        let text: String = text.trim().chars().take(Self::MAX_CHARS).collect();
        let mut words = words(&text);
        words.retain(|word| word != "@");
        words.dedup();
        (!words.is_empty()).then_some(Self { text, words })
    }

    /// Whether all of a text counts: it is no longer than a term may be.
    pub(crate) fn is_whole(text: &str) -> bool {
        text.trim().chars().count() <= Self::MAX_CHARS
            && fold(text).split_whitespace().count() <= Self::MAX_WORDS
    }

    /// The text as it was typed, without blanks around it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The words that have to be found, in the form of [`SearchText`].
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether a word of a term is to be found at the beginning of a word only: it is short, or a
    /// username.
    pub fn is_beginning(word: &str) -> bool {
        word.starts_with('@') || word.chars().nth(2).is_none()
    }

    /// The id that it may be.
    pub fn id(&self) -> Option<TelegramId> {
        self.text.parse().ok()
    }
}

/// A user's names as they are searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText {
    words: Vec<String>,
}

impl SearchText {
    /// The names of this user.
    pub fn of(user: &TelegramUser) -> Self {
        let mut all = words(&user.first_name);
        all.extend(words(user.last_name.as_deref().unwrap_or_default()));
        all.truncate(SearchTerm::MAX_WORDS);
        let username = user.username.as_ref().map(Username::as_str).unwrap_or_default();
        all.extend(words(username).into_iter().map(|word| format!("@{word}")));
        Self { words: all }
    }

    /// The text: each word with a blank in front, the username with a blank and `@`.
    pub fn text(&self) -> String {
        self.words.iter().flat_map(|word| [" ", word]).collect()
    }

    /// Whether every word of a term is found; the id that the term may be does not count.
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

    /// What the beginnings of words are looked up by: the words, the username also without `@`;
    /// sorted, and each once.
    pub fn words(&self) -> Vec<&str> {
        let bare = self.words.iter().filter_map(|word| word.strip_prefix('@'));
        let mut words: Vec<&str> = self.words.iter().map(String::as_str).chain(bare).collect();
        words.retain(|word| !word.is_empty());
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// The words of a text, in lower case and without accents.
fn words(text: &str) -> Vec<String> {
    fold(text).split_whitespace().take(SearchTerm::MAX_WORDS).map(str::to_owned).collect()
}

/// Lower case and without accents: letters are taken apart (NFKD), and the marks left out, so that é
/// is e, ё is е, й is и and 𝓐 is a. A few letters that Unicode does not take apart are spelled out.
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
    fn case_and_accents_do_not_count() {
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
        // Taken apart or put together, it is the same.
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
        let nobody = TelegramUser::new(1.try_into().unwrap(), DateTime::UNIX_EPOCH);
        assert_eq!(SearchText::of(&nobody).text(), "");
    }

    #[test]
    fn every_word_of_a_term_has_to_be_found() {
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
    fn a_term_is_words_and_perhaps_an_id() {
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
