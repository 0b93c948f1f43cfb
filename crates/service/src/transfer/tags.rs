//! The tags of users in a file.

use std::{collections::BTreeMap, fmt};

use rollcall_domain::{LabelName, TelegramId};
use serde::{
    Deserializer,
    de::{SeqAccess, Visitor},
};

use crate::text::quoted;

/// The tags of users. Users without tags are left out.
pub(super) type Tags = BTreeMap<TelegramId, Vec<LabelName>>;

/// The tags of a user, each once.
pub(super) fn read(names: &[String]) -> Result<Vec<LabelName>, String> {
    let read = |name: &String| {
        name.parse::<LabelName>().map_err(|_| {
            format!(
                "tags: expected names of 1 to 32 of a-z, 0-9, _ and -, with blanks between them, \
                 not {}",
                quoted(name)
            )
        })
    };
    let mut tags: Vec<LabelName> = names.iter().map(read).collect::<Result<_, _>>()?;
    tags.sort_unstable();
    tags.dedup();
    Ok(tags)
}

/// The names in a text with blanks between them.
pub(super) fn divided(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Reads a list of names, a text with blanks between them, or null.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of tags")
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(divided(text))
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut names = Vec::new();
            while let Some(name) = list.next_element()? {
                names.push(name);
            }
            Ok(names)
        }
    }

    from.deserialize_any(Names)
}
