//! Users as JSON Lines: one object per line, in UTF-8.

use std::io::Read;

use rollcall_domain::{LabelName, TelegramUser};
use rollcall_repository::ImportedUser;

use super::{error::ImportError, row::Fields, tags::Tags};
use crate::text::{Lines, Refused};

/// Adds a line for each user.
pub(super) fn write(users: &[TelegramUser], tags: &Tags, text: &mut Vec<u8>) {
    for user in users {
        // Serialising texts, numbers and flags to memory cannot fail.
        let _written = serde_json::to_writer(&mut *text, &Fields::of(user, tags));
        text.push(b'\n');
    }
}

/// Parses users.
pub(super) struct Reader<R>(Lines<R>);

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Self {
        Self(Lines::new(input))
    }

    /// The next user or rejected line; `None` at the end. Blank lines are skipped.
    pub(super) fn next(&mut self) -> Result<Option<Result<ImportedUser, Refused>>, ImportError> {
        while let Some(line) = self.0.next_line().map_err(ImportError::Unreadable)? {
            let number = line.number;
            let refused = |reason| Refused { line: number, reason };
            let text = match line.text {
                Ok(text) => text,
                Err(reason) => return Ok(Some(Err(refused(reason.to_string())))),
            };
            // If files were concatenated, a byte order mark may be here too.
            let text = text.trim_start_matches('\u{feff}').trim();
            if !text.is_empty() {
                let read = read(text).map(|(user, tags)| ImportedUser { user, tags, line: number });
                return Ok(Some(read.map_err(refused)));
            }
        }
        Ok(None)
    }
}

fn read(text: &str) -> Result<(TelegramUser, Vec<LabelName>), String> {
    // The message already has the line's number in the file.
    let reason = |error: serde_json::Error| error.to_string().replace(" at line 1 ", " at ");
    serde_json::from_str::<Fields<'_>>(text).map_err(reason)?.into_user()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;
    use rollcall_domain::TelegramId;

    use super::*;

    /// The id of every user in a file, and every rejected line.
    fn read(file: &[u8]) -> Vec<Result<i64, (u64, String)>> {
        let (mut reader, mut all) = (Reader::new(file), Vec::new());
        while let Some(given) = reader.next().unwrap() {
            let refused = |Refused { line, reason }| (line, reason);
            all.push(given.map(|it| it.user.telegram_id.get()).map_err(refused));
        }
        all
    }

    fn line() -> String {
        let user = TelegramUser::new(TelegramId::try_from(7).unwrap(), DateTime::UNIX_EPOCH);
        let mut line = Vec::new();
        write(&[user], &Tags::new(), &mut line);
        String::from_utf8(line).unwrap().trim_end().to_owned()
    }

    #[test]
    fn lines_of_any_editor_are_read() {
        let line = line();
        let file = format!("\u{feff}{line}\r\n\r\n{{}}\r{line}\n\u{feff}{line}");
        let utf_16 = file.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        for file in [file.as_bytes(), &utf_16] {
            let found = read(file);
            assert_eq!(found[0], Ok(7));
            assert_eq!(found[1], Err((3, "missing field `telegram_id` at column 2".to_owned())));
            assert_eq!(found[2..], [Ok(7), Ok(7)]);
        }
    }

    #[test]
    fn tags_are_a_list_or_a_text() {
        let read = |tags: &str| {
            let file = line().replace("\"tags\":[]", tags).replace(",}", "}");
            let read = Reader::new(file.as_bytes()).next().unwrap().unwrap();
            let names = |it: ImportedUser| it.tags.iter().map(ToString::to_string).collect();
            read.map(names).map_err(|refused| refused.reason)
        };
        for tags in [r#""tags":["vip","new","vip"]"#, r#""tags":" vip  new""#] {
            assert_eq!(read(tags), Ok(vec!["new".to_owned(), "vip".to_owned()]), "{tags}");
        }
        for none in ["", r#""tags":null"#, r#""tags":[]"#, r#""tags":"""#] {
            assert_eq!(read(none), Ok(Vec::new()), "{none}");
        }
        let wrong = r#""tags":["a b"]"#;
        assert_eq!(
            read(wrong),
            Err("tags: expected names of 1 to 32 of a-z, 0-9, _ and -, with blanks between them, \
                 not \"a b\""
                .to_owned())
        );
        for wrong in [r#""tags":7"#, r#""tags":[7]"#] {
            assert!(read(wrong).unwrap_err().starts_with("invalid type: integer `7`, expected "));
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_costs_no_other() {
        let long = "x".repeat(65 * 1024);
        let file = [b"{\"\xfc\n", long.as_bytes(), b"\n", line().as_bytes(), b"\n\0"].concat();
        assert_eq!(
            read(&file),
            [
                Err((1, "not UTF-8; save the file as UTF-8".to_owned())),
                Err((2, "longer than 65536 bytes".to_owned())),
                Ok(7),
                Err((
                    4,
                    "has a U+0000, as a file in UTF-16 without a byte order mark has; \
                     save it as UTF-8"
                        .to_owned()
                )),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_make_users_or_refusals(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            at in 0_usize..300,
        ) {
            read(&bytes);
            let mut spoilt = line().into_bytes();
            let at = at.min(spoilt.len());
            spoilt.splice(at..at, bytes);
            read(&spoilt);
        }
    }
}
