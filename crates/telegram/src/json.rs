//! JSON as Telegram sends it: strings that are not quite text, and errors that quote no user.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, de::Visitor};

/// A JSON string. Unlike serde's own, it accepts half of a surrogate pair and replaces it by U+FFFD.
/// Such halves occur where a text was cut by UTF-16 units.
#[derive(Debug)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn into_string(self) -> String {
        self.0.into_owned()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl<'de> Visitor<'de> for Bytes {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Text<'de>, E> {
                Ok(Text(lossy(bytes)))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text<'de>, E> {
                Ok(Text(lossy(bytes).into_owned().into()))
            }
        }

        // serde_json rejects lone surrogates in strings, but not in bytes.
        deserializer.deserialize_bytes(Bytes)
    }
}

/// These bytes as text, with one U+FFFD for each run of invalid ones. serde_json passes on half of a
/// surrogate pair as three invalid bytes.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() && !text.ends_with(char::REPLACEMENT_CHARACTER) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text.into()
}

/// Where and how JSON is invalid. serde_json's own message would quote what users wrote.
pub(crate) fn describe_error(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io | Category::Syntax => "not JSON",
        Category::Data => "not what is expected",
        Category::Eof => "cut off",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_becomes_u_fffd() {
        let read = |json: &str| serde_json::from_str::<Text>(json).map(Text::into_string);
        for (json, text) in [
            (r#""Ada""#, "Ada"),
            (r#""""#, ""),
            (r#""\ud83d\ude80""#, "🚀"),
            (r#""Ada \ud83d""#, "Ada \u{fffd}"),
            (r#""\ude80 Ada""#, "\u{fffd} Ada"),
            (r#""a\ud83dz""#, "a\u{fffd}z"),
            (r#""\ud83d\ud83d\ude80""#, "\u{fffd}🚀"),
            (r#""\u0000""#, "\0"),
        ] {
            assert_eq!(read(json).unwrap(), text, "{json}");
        }
        for json in ["null", "1", "[65]", "{}", r#""\x""#, r#""\ud8""#] {
            assert!(read(json).is_err(), "{json}");
        }
        assert!(serde_json::from_str::<Option<Text>>("null").unwrap().is_none());
    }
}
