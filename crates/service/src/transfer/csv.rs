//! Users as comma-separated values (RFC 4180), in UTF-8.
//!
//! A spreadsheet takes text that begins with `=`, `+`, `-`, `@`, a tab or a line break for a formula,
//! which may fetch or send what it likes. Such text gets a `'` in front, by which a spreadsheet knows
//! text; so does text that begins with `'` itself, so that each text can be read back as it was.

use std::{borrow::Cow, io::Read};

use rollcall_domain::TelegramUser;

use super::{
    Given, ImportError, Refused,
    row::{COLUMNS, Fields},
};

pub(super) fn header() -> Vec<u8> {
    let mut text = COLUMNS.join(",").into_bytes();
    text.push(b'\n');
    text
}

/// Adds a line for each user.
pub(super) fn write(users: &[TelegramUser], text: &mut Vec<u8>) {
    for user in users {
        for (place, field) in Fields::of(user).into_texts().into_iter().enumerate() {
            if place > 0 {
                text.push(b',');
            }
            text.extend_from_slice(csv_field(field.as_deref().unwrap_or_default()).as_bytes());
        }
        text.push(b'\n');
    }
}

/// A text as a field: in quotes where it needs them, and no formula.
pub fn csv_field(text: &str) -> Cow<'_, str> {
    let is_guarded = text.starts_with(is_guarded);
    let is_quoted =
        text.contains(['"', ',', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ');
    let guard = if is_guarded { "'" } else { "" };
    match (is_quoted, is_guarded) {
        (true, _) => format!("\"{guard}{}\"", text.replace('"', "\"\"")).into(),
        (false, true) => format!("{guard}{text}").into(),
        (false, false) => text.into(),
    }
}

/// Whether text that begins so gets a `'` in front.
fn is_guarded(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\'')
}

/// The text that was written.
fn unguarded(field: &str) -> &str {
    match field.strip_prefix('\'') {
        Some(rest) if rest.starts_with(is_guarded) => rest,
        _ => field,
    }
}

/// Reads lines.
pub(super) struct Reader<R> {
    records: csv::Reader<R>,
    record: csv::StringRecord,
    /// Which of [`COLUMNS`] is where.
    columns: Vec<usize>,
}

impl<R: Read> Reader<R> {
    /// A reader that has read the names of the columns.
    pub(super) fn new(input: R) -> Result<Self, ImportError> {
        let mut records = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let names = records.headers().map_err(failed)?;
        let mut columns = Vec::new();
        for name in names {
            // Some programs begin a file with a byte order mark.
            let name = name.trim_start_matches('\u{feff}').trim();
            let place = COLUMNS.iter().position(|column| *column == name);
            let place = place.ok_or_else(|| ImportError::UnknownColumn(name.to_owned()))?;
            if columns.contains(&place) {
                return Err(ImportError::RepeatedColumn(name.to_owned()));
            }
            columns.push(place);
        }
        let is_missing = |(place, _): &(usize, _)| !columns.contains(place);
        if let Some((_, name)) = COLUMNS.iter().enumerate().find(is_missing) {
            return Err(ImportError::MissingColumn(name));
        }
        Ok(Self { records, record: csv::StringRecord::new(), columns })
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Given>, ImportError> {
        let line = self.records.position().line();
        match self.records.read_record(&mut self.record) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                return Ok(Some(Err(Refused { line, reason: "not UTF-8".to_owned() })));
            }
            Err(error) => return Err(failed(error)),
        }
        let line = self.record.position().map_or(line, csv::Position::line);
        Ok(Some(self.user().map_err(|reason| Refused { line, reason })))
    }

    fn user(&self) -> Result<TelegramUser, String> {
        if self.record.len() != self.columns.len() {
            let (fields, columns) = (self.record.len(), self.columns.len());
            return Err(format!("{fields} fields, expected {columns}"));
        }
        let mut texts: [Option<Cow<'_, str>>; COLUMNS.len()] = Default::default();
        for (field, place) in self.record.iter().zip(&self.columns) {
            if let Some(text) = texts.get_mut(*place).filter(|_| !field.is_empty()) {
                *text = Some(unguarded(field).into());
            }
        }
        Fields::from_texts(texts)?.into_user()
    }
}

fn failed(error: csv::Error) -> ImportError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => ImportError::Unreadable(error),
        other => ImportError::Unreadable(std::io::Error::other(format!("{other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text_and_come_back_as_they_were() {
        for (text, written) in [
            ("Ada", "Ada"),
            ("", ""),
            ("=1+2", "'=1+2"),
            ("+49", "'+49"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("'tis", "''tis"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=\"x\"&A1,", "\"'=\"\"x\"\"&A1,\""),
            ("two\nlines", "\"two\nlines\""),
            ("\r\n", "\"'\r\n\""),
            (" blank ", "\" blank \""),
            ("Жук 👩‍🚀 'q'", "Жук 👩‍🚀 'q'"),
        ] {
            assert_eq!(csv_field(text), written, "{text:?}");
            let line = format!("{written},end\n");
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!(unguarded(&record[0]), text);
        }
        // From a file that somebody else wrote.
        assert_eq!(unguarded("'tis"), "'tis");
    }
}
