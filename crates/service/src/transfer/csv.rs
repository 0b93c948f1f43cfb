//! Users as comma-separated values (RFC 4180), in UTF-8. See [`formula`](super::formula) for text
//! that a spreadsheet would interpret as a formula.

use std::{borrow::Cow, io::Read};

use rollcall_domain::TelegramUser;
use rollcall_repository::ImportedUser;

use super::{
    error::ImportError,
    formula::{guarded, unguarded},
    row::{COLUMNS, Fields, NEEDED, OPTIONAL},
    tags::Tags,
};
use crate::text::{Record, Records, Refused, quoted};

pub(super) fn header() -> Vec<u8> {
    let mut text = COLUMNS.join(",").into_bytes();
    text.push(b'\n');
    text
}

/// Adds a line for each user.
pub(super) fn write(users: &[TelegramUser], tags: &Tags, text: &mut Vec<u8>) {
    for user in users {
        for (place, field) in Fields::of(user, tags).into_texts().into_iter().enumerate() {
            if place > 0 {
                text.push(b',');
            }
            text.extend_from_slice(csv_field(field.as_deref().unwrap_or_default()).as_bytes());
        }
        text.push(b'\n');
    }
}

/// A text as a field: quoted if needed, and never a formula.
pub fn csv_field(text: &str) -> Cow<'_, str> {
    // Most fields are plain: ids, flags, times and usernames.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_:.-".contains(&byte);
    if text.bytes().all(is_plain) && !text.starts_with('-') {
        return text.into();
    }
    let text = guarded(text);
    let is_quoted = text.contains(['"', ',', ';', '\t', '\r', '\n'])
        || text.starts_with(' ')
        || text.ends_with(' ');
    if is_quoted { format!("\"{}\"", text.replace('"', "\"\"")).into() } else { text }
}

/// Parses users.
pub(super) struct Reader<R> {
    records: Records<R>,
    /// The index in [`COLUMNS`] of each column. A spreadsheet may have added columns without name
    /// and values.
    columns: Vec<Option<usize>>,
}

impl<R: Read> Reader<R> {
    /// Creates a reader, and reads the column names.
    pub(super) fn new(input: R) -> Result<Self, ImportError> {
        let mut records = Records::new(input).map_err(ImportError::Unreadable)?;
        let header = records.next_record().map_err(ImportError::Unreadable)?;
        let header = header.ok_or(ImportError::Empty)?.map_err(ImportError::Header)?;
        let columns = columns_of(header)
            .map_err(|reason| ImportError::Header(Refused { line: header.line(), reason }))?;
        Ok(Self { records, columns })
    }

    /// The next user or rejected line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Result<ImportedUser, Refused>>, ImportError> {
        let record = self.records.next_record().map_err(ImportError::Unreadable)?;
        Ok(record.map(|record| {
            let record = record?;
            user(record, &self.columns).map_err(|reason| Refused { line: record.line(), reason })
        }))
    }
}

fn columns_of(header: &Record) -> Result<Vec<Option<usize>>, String> {
    let expected = || COLUMNS.join(",");
    let mut columns = Vec::new();
    for name in header.fields() {
        // Some files have a second byte order mark.
        let name = name.trim_start_matches('\u{feff}').trim();
        let place = COLUMNS.iter().position(|column| *column == name);
        if place.is_none() && !name.is_empty() {
            return Err(format!("{} is not a column; expected {}", quoted(name), expected()));
        }
        if place.is_some() && columns.contains(&place) {
            return Err(format!("the column {name} is there twice"));
        }
        columns.push(place);
    }
    let is_missing =
        |(place, name): &(usize, &&str)| **name != OPTIONAL && !columns.contains(&Some(*place));
    if let Some((_, name)) = COLUMNS.iter().enumerate().find(is_missing) {
        return Err(format!("the column {name} is missing; expected {}", expected()));
    }
    Ok(columns)
}

fn user(record: &Record, columns: &[Option<usize>]) -> Result<ImportedUser, String> {
    let mut texts: [Option<Cow<'_, str>>; COLUMNS.len()] = Default::default();
    for (number, field) in record.fields().enumerate().filter(|(_, field)| !field.is_empty()) {
        let place = columns.get(number).copied().flatten();
        match place.and_then(|place| texts.get_mut(place)) {
            Some(text) => *text = Some(unguarded(field)),
            None if field.trim().is_empty() => {}
            None if number < columns.len() => {
                return Err(format!("field {} is in a column without a name", number + 1));
            }
            None => return Err(miscounted(record, columns)),
        }
    }
    // A spreadsheet may leave out empty fields at the end of a line. A truncated file looks the
    // same.
    let mut left_out = columns.iter().skip(record.len()).flatten().peekable();
    let is_cut = left_out.peek().is_some() && !record.is_ended();
    let is_needed = |place: &usize| COLUMNS.get(*place).is_some_and(|name| NEEDED.contains(name));
    if is_cut || left_out.any(is_needed) {
        return Err(miscounted(record, columns));
    }
    let user = Fields::from_texts(texts).and_then(Fields::into_user);
    // With a field too many, the other fields may be in the wrong columns.
    let (user, tags) = user.map_err(|reason| match record.len() > columns.len() {
        true => miscounted(record, columns),
        false => reason,
    })?;
    Ok(ImportedUser { user, tags, line: record.line() })
}

fn miscounted(record: &Record, columns: &[Option<usize>]) -> String {
    format!("{} fields, expected {}", record.len(), columns.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rollcall_domain::{LabelName, TelegramId};

    use super::*;

    const ROW: &str = "1,Ada,,ada,en,false,2026-11-01T10:00:00Z,2026-11-01T10:00:00Z,\
                       2026-11-01T10:00:00Z,true,,,,ad,new vip";

    /// A user with its tags, or a rejected line.
    type Row = Result<(TelegramUser, Vec<LabelName>), (u64, String)>;

    fn read(file: impl AsRef<[u8]>) -> Result<Vec<Row>, String> {
        let mut reader = Reader::new(file.as_ref()).map_err(|error| error.to_string())?;
        let mut all = Vec::new();
        while let Some(given) = reader.next().unwrap() {
            let given = given.map(|ImportedUser { user, tags, .. }| (user, tags));
            all.push(given.map_err(|Refused { line, reason }| (line, reason)));
        }
        Ok(all)
    }

    fn ada() -> (TelegramUser, Vec<LabelName>) {
        read(format!("{}\n{ROW}", COLUMNS.join(","))).unwrap().pop().unwrap().unwrap()
    }

    #[track_caller]
    fn check(file: &str) {
        assert_eq!(read(file), Ok(vec![Ok(ada())]), "{file:?}");
    }

    #[track_caller]
    fn check_refused(row: &str, line: u64, reason: &str) {
        let file = format!("{}\r\n\r\n{row}\r\n{ROW}", COLUMNS.join(","));
        let refused = Err((line, reason.to_owned()));
        assert_eq!(read(file), Ok(vec![refused, Ok(ada())]), "{row:?}");
    }

    #[test]
    fn what_a_spreadsheet_has_saved_is_read() {
        let (header, row) = (COLUMNS.join(","), ROW);
        check(&format!("\u{feff}{header}\r\n{row}\r\n"));
        check(&format!("sep=,\r\n{header}\r\n{row}\r\n,,,\r\n"));
        check(&format!("{header}\n{row}").replace(',', ";"));
        check(&format!("{header}\n{row}").replace(',', "\t"));
        check(&format!("{header},,\n{row},,\n,,,,,,,,,,,,,,,,\n"));
        check(&format!("{header}\n{row},, ,\n"));
        // Empty fields at the end may be missing, except in a line that may be truncated.
        let shorter = header.replace(",obstacle,", ",") + ",obstacle";
        let moved = row.replace(",,,,ad", ",,,ad");
        check(&format!("{shorter}\n{moved}\n"));
        let cut = read(format!("{shorter}\n{moved}"));
        assert_eq!(cut, Ok(vec![Err((2, "14 fields, expected 15".to_owned()))]));
        for (flag, other) in [
            ("TRUE", "FALSE"),
            ("True", "no"),
            ("1", "0"),
            ("yes", "NO"),
            ("Y", "n"),
            ("t", "F"),
            (" WAHR", "FALSCH "),
            ("ИСТИНА", "ложь"),
        ] {
            check(&format!("{header}\n{}", row.replace("true", flag).replace("false", other)));
        }
        for time in ["2026-11-01 10:00", "01.11.2026 10:00:00", "2026-11-01 10:00:00.000"] {
            check(&format!("{header}\n{}", row.replace("2026-11-01T10:00:00Z", time)));
        }
        for tags in ["vip new", " new\tvip  new ", "\"vip\nnew\""] {
            check(&format!("{header}\n{}", row.replace("new vip", tags)));
        }
        let shuffled: Vec<_> = COLUMNS.into_iter().rev().collect();
        let row: Vec<_> = row.split(',').rev().collect();
        check(&format!("{}\n{}", shuffled.join(","), row.join(",")));
    }

    #[test]
    fn a_file_without_tags_is_read() {
        let header = COLUMNS.join(",").replace(",tags", "");
        let row = ROW.replace(",new vip", "");
        let (user, _) = ada();
        assert_eq!(read(format!("{header}\n{row}")), Ok(vec![Ok((user, Vec::new()))]));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        for (wrong, reason) in [
            (
                ROW.replace("new vip", "new VIP"),
                "tags: expected names of 1 to 32 of a-z, 0-9, _ and -, with blanks between them, \
                 not \"VIP\"",
            ),
            (ROW.replace("false", "maybe"), "is_bot: expected true or false, not \"maybe\""),
            (ROW.replace("1,Ada", "1.5E+9,Ada"), "telegram_id: expected a number, not \"1.5E+9\""),
            (ROW.replace("1,Ada", ",Ada"), "telegram_id is empty"),
            (format!("{ROW},x"), "16 fields, expected 15"),
            ("1,Ada".to_owned(), "2 fields, expected 15"),
            (ROW.replace("Ada", "\"Ada"), "a quotation mark is not closed"),
            (
                ROW.replace("1,Ada", &format!("{},Ada", "9".repeat(99))),
                "telegram_id: expected a number, not \
                 \"999999999999999999999999999999999999999999999999999999999999\"…",
            ),
            (
                ROW.replace("10:00:00Z,2026-11-01T10:00:00Z", "10:00:00Z,01/11/2026 10:00"),
                "updated_at: \"01/11/2026 10:00\" may be 2026-11-01 or 2026-01-11; \
                 expected a time such as 2026-11-23T12:00:00Z",
            ),
        ] {
            check_refused(&wrong, 3, reason);
        }
        let ansi = format!("{}\n{}", COLUMNS.join(","), ROW.replace("Ada", "Z\u{1}")).into_bytes();
        let ansi: Vec<u8> = ansi.iter().map(|it| if *it == 1 { 0xfc } else { *it }).collect();
        let reason = "not UTF-8; save the file as UTF-8".to_owned();
        assert_eq!(read(ansi), Ok(vec![Err((2, reason))]));
        let unnamed = format!("{}\n{}", COLUMNS.join(",,"), ROW.replace(',', ",x,"));
        let reason = "field 2 is in a column without a name".to_owned();
        assert_eq!(read(unnamed), Ok(vec![Err((2, reason))]));
    }

    #[test]
    fn wrong_columns_are_named_with_their_line() {
        let expected = COLUMNS.join(",");
        for (file, error) in [
            ("", format!("the file is empty; expected a line with {expected}")),
            ("\n,,\n", format!("the file is empty; expected a line with {expected}")),
            (
                "\r\nsep=;\r\nid;name",
                format!("line 3: \"id\" is not a column; expected {expected}"),
            ),
            ("telegram_id,telegram_id", "line 1: the column telegram_id is there twice".to_owned()),
            (
                "telegram_id\n1",
                format!("line 1: the column first_name is missing; expected {expected}"),
            ),
            ("\"telegram_id", "line 1: a quotation mark is not closed".to_owned()),
        ] {
            assert_eq!(read(file), Err(error), "{file:?}");
        }
        let utf_16: Vec<u8> = expected.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(
            read(utf_16).unwrap_err(),
            "line 1: has a U+0000, as a file in UTF-16 without a byte order mark has; \
             save it as UTF-8"
        );
    }

    proptest! {
        #[test]
        fn every_name_comes_back(
            first_name in "[-=+@＝＋－＠'\";,\t\r\n a]{0,9}|[^\0]{0,9}",
            last_name in proptest::option::of("[-=+@＝＋－＠'\";,\t\r\n a]{1,9}|[^\0]{1,9}"),
            tags in proptest::collection::btree_set("[a-z0-9_-]{1,32}", 0..4),
        ) {
            let id = TelegramId::try_from(7).unwrap();
            let created_at = ada().0.created_at;
            let user = TelegramUser { first_name, last_name, ..TelegramUser::new(id, created_at) };
            let tags: Vec<LabelName> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
            let mut file = header();
            write(std::slice::from_ref(&user), &[(id, tags.clone())].into(), &mut file);
            prop_assert_eq!(read(file), Ok(vec![Ok((user, tags))]));
        }

        #[test]
        fn any_bytes_make_users_or_refusals(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            text in "[0-9a,;\t\"\r\n:.TZ -]{0,200}",
        ) {
            let header = COLUMNS.join(",");
            for rows in [bytes.as_slice(), text.as_bytes()] {
                read([header.as_bytes(), b"\n", rows].concat()).unwrap();
            }
            drop(read(bytes));
        }
    }
}
