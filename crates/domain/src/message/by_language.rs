use std::collections::BTreeMap;

use crate::MAX_LANGUAGE_CODE_CHARS;

/// One value for every language, such as a text or the buttons below it: a default, and others by
/// language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByLanguage<T> {
    default: T,
    others: BTreeMap<String, T>,
}

impl<T> ByLanguage<T> {
    /// One value for all users.
    pub fn new(default: T) -> Self {
        Self { default, others: BTreeMap::new() }
    }

    /// Sets the value for a language, an IETF language tag such as `de` or `pt-br`. Case does not
    /// matter, and `_` is the same as `-`. Returns the former value.
    ///
    /// # Errors
    /// If it is not a language tag.
    pub fn set(&mut self, language: &str, value: T) -> Result<Option<T>, InvalidLanguageTag> {
        let tag = normalized(language);
        let is_part = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_alphanumeric())
        };
        let first = tag.split('-').next().unwrap_or_default();
        let is_language = first.len() >= 2 && first.bytes().all(|it| it.is_ascii_lowercase());
        let fits = tag.len() <= MAX_LANGUAGE_CODE_CHARS && tag.split('-').all(is_part);
        if !is_language || !fits {
            return Err(InvalidLanguageTag);
        }
        Ok(self.others.insert(tag, value))
    }

    /// The value for a user with this language: that of the same tag, else of the tag without its
    /// last parts (`pt` for `pt-br`), else the default (RFC 4647, section 3.4, "Lookup").
    pub fn for_language(&self, language: Option<&str>) -> &T {
        let tag = normalized(language.unwrap_or_default());
        let mut tag = tag.as_str();
        loop {
            if let Some(value) = self.others.get(tag) {
                return value;
            }
            match tag.rsplit_once('-') {
                Some((shorter, _)) => tag = shorter,
                None => return &self.default,
            }
        }
    }

    /// The default.
    pub fn default_value(&self) -> &T {
        &self.default
    }

    /// The languages with a value of their own, and their values. The languages are in lower case
    /// and in alphabetical order.
    pub fn languages(&self) -> impl Iterator<Item = (&str, &T)> {
        self.others.iter().map(|(language, value)| (language.as_str(), value))
    }
}

fn normalized(language: &str) -> String {
    language.to_ascii_lowercase().replace('_', "-")
}

/// The text is not a language tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a language such as en or pt-br")]
pub struct InvalidLanguageTag;
