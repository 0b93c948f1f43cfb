//! Records of a file of separated values (RFC 4180), with any separator.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

use super::lines::{Line, Lines, Refused, Unreadable};

/// The most bytes of a field: many times what a user needs.
const MAX_FIELD: usize = 16 * 1024;

/// Reads records. Rows without values are skipped. A line with an unclosed quotation mark is
/// rejected, and the lines after it are read as if it were absent.
pub(crate) struct Records<R> {
    lines: Lines<R>,
    separator: char,
    /// Lines that were read in search of a closing quotation mark.
    ahead: VecDeque<Held>,
    record: Record,
}

impl<R: Read> Records<R> {
    /// Creates a reader and finds the separator. It is that of a line such as `sep=;` at the
    /// beginning, if the first row contains it; otherwise the first of `,`, `;` and tab in that
    /// row.
    pub(crate) fn new(input: R) -> io::Result<Self> {
        let mut lines = Lines::new(input);
        let (mut ahead, mut named, mut separator) = (VecDeque::new(), None, ',');
        while let Some(line) = lines.next_line()? {
            if let Ok(text) = line.text {
                if text.chars().all(|it| it.is_whitespace() || SEPARATORS.contains(&it)) {
                    continue;
                }
                if named.is_none() && separator_of(text).is_some() {
                    named = separator_of(text);
                    continue;
                }
                let found = text.chars().find(|it| SEPARATORS.contains(it));
                separator = named.filter(|it| text.contains(*it)).or(found).unwrap_or(separator);
            }
            ahead.push_back(Held::from(line));
            break;
        }
        Ok(Self { lines, separator, ahead, record: Record::default() })
    }

    /// The next record or rejected line; `None` at the end.
    pub(crate) fn next_record(&mut self) -> io::Result<Option<Result<&Record, Refused>>> {
        loop {
            match self.read()? {
                None => return Ok(None),
                Some(Err(refused)) => return Ok(Some(Err(refused))),
                Some(Ok(())) if self.record.is_empty() => {}
                Some(Ok(())) => return Ok(Some(Ok(&self.record))),
            }
        }
    }

    fn read(&mut self) -> io::Result<Option<Result<(), Refused>>> {
        let held = self.ahead.pop_front();
        let first = match &held {
            Some(held) => Some(held.line()),
            None => self.lines.next_line()?,
        };
        let Some(first) = first else { return Ok(None) };
        self.record.begin(first.number);
        let mut added = self.record.add(first, self.separator);
        // How many of the lines in `ahead` belong to the record.
        let mut used = 0;
        while added == Ok(Added::Open) {
            if used == self.ahead.len() {
                let Some(line) = self.lines.next_line()? else { break };
                self.ahead.push_back(line.into());
            }
            let next = self.ahead.get(used).filter(|next| next.text.is_ok());
            let Some(next) = next else { break };
            used += 1;
            added = self.record.add(next.line(), self.separator);
        }
        let refused = match added {
            Ok(Added::Whole) => {
                self.ahead.drain(..used);
                return Ok(Some(Ok(())));
            }
            Ok(Added::Open) => self.record.unclosed(),
            Err(refused) => refused,
        };
        self.ahead.retain(|line| line.number > refused.line);
        Ok(Some(Err(refused)))
    }
}

/// The separators that are recognised without a `sep=` line.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// The separator in a line such as `sep=;`. A spreadsheet may have saved that line as a row.
fn separator_of(text: &str) -> Option<char> {
    let (name, rest) = text.trim_start_matches('"').split_at_checked(4)?;
    let mut rest = rest.chars();
    let separator = rest.next().filter(|it| it.is_ascii_punctuation() || *it == '\t')?;
    let is_row = rest.all(|it| it == '"' || it.is_whitespace() || SEPARATORS.contains(&it));
    (name.eq_ignore_ascii_case("sep=") && separator != '"' && is_row).then_some(separator)
}

/// A line in memory.
struct Held {
    number: u64,
    text: Result<String, Unreadable>,
    end: &'static str,
}

impl From<Line<'_>> for Held {
    fn from(line: Line<'_>) -> Self {
        Self { number: line.number, text: line.text.map(str::to_owned), end: line.end }
    }
}

impl Held {
    fn line(&self) -> Line<'_> {
        let text = self.text.as_deref().map_err(|reason| *reason);
        Line { number: self.number, text, end: self.end }
    }
}

/// The fields of a record.
#[derive(Default)]
pub(crate) struct Record {
    line: u64,
    /// The fields one after the other, and where each ends.
    text: String,
    ends: Vec<usize>,
    /// The line of the open quotation mark.
    quoted_since: Option<u64>,
    is_ended: bool,
}

/// Whether a record ends with a line, or continues in the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Added {
    Whole,
    Open,
}

impl Record {
    /// The line where it begins, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Whether its last line has a line ending. Without one, the line may be truncated.
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// The number of fields.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The fields, in their order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    fn is_empty(&self) -> bool {
        self.text.chars().all(char::is_whitespace)
    }

    fn begin(&mut self, line: u64) {
        self.line = line;
        self.text.clear();
        self.ends.clear();
        self.quoted_since = None;
    }

    /// Adds a line, and returns whether the record ends with it.
    fn add(&mut self, line: Line<'_>, separator: char) -> Result<Added, Refused> {
        let refused = |reason: String| Refused { line: line.number, reason };
        let mut rest = line.text.map_err(|reason| refused(reason.to_string()))?;
        self.is_ended = !line.end.is_empty();
        loop {
            if self.quoted_since.is_none()
                && let Some(quoted) = rest.strip_prefix('"')
            {
                self.quoted_since = Some(line.number);
                rest = quoted;
            }
            let next = if let Some(since) = self.quoted_since {
                let Some(after) = self.add_quoted(rest) else {
                    self.text.push_str(line.end);
                    let is_within = self.field_len() <= MAX_FIELD;
                    return if is_within { Ok(Added::Open) } else { Err(self.unclosed()) };
                };
                let next = after.strip_prefix(separator);
                if next.is_none() && !after.is_empty() {
                    let is_here = since == line.number;
                    return Err(if is_here {
                        refused(DOUBLED.to_owned())
                    } else {
                        self.unclosed()
                    });
                }
                next
            } else {
                let (field, next) = rest.split_once(separator).unzip();
                self.text.push_str(field.unwrap_or(rest));
                next
            };
            if self.field_len() > MAX_FIELD {
                return Err(refused(format!("a field is longer than {MAX_FIELD} bytes")));
            }
            self.ends.push(self.text.len());
            self.quoted_since = None;
            match next {
                Some(next) => rest = next,
                None => return Ok(Added::Whole),
            }
        }
    }

    /// Adds the text before the closing quotation mark. Returns the text after it, if the mark is
    /// in this line.
    fn add_quoted<'a>(&mut self, mut rest: &'a str) -> Option<&'a str> {
        loop {
            let Some((text, after)) = rest.split_once('"') else {
                self.text.push_str(rest);
                return None;
            };
            self.text.push_str(text);
            let Some(doubled) = after.strip_prefix('"') else { return Some(after) };
            self.text.push('"');
            rest = doubled;
        }
    }

    fn field_len(&self) -> usize {
        self.text.len() - self.ends.last().copied().unwrap_or_default()
    }

    /// The rejection of a line whose quotation mark is not closed.
    fn unclosed(&self) -> Refused {
        let line = self.quoted_since.unwrap_or(self.line);
        Refused { line, reason: "a quotation mark is not closed".to_owned() }
    }
}

const DOUBLED: &str =
    "text follows a closing quotation mark; within a field in quotation marks they are doubled";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::decoded::tests::encodings, *};

    type Numbered = (u64, Result<Vec<String>, String>);

    fn records(bytes: &[u8]) -> Vec<Numbered> {
        let mut records = Records::new(bytes).unwrap();
        let mut found = Vec::new();
        while let Some(record) = records.next_record().unwrap() {
            found.push(match record {
                Ok(it) => (it.line(), Ok(it.fields().map(str::to_owned).collect())),
                Err(Refused { line, reason }) => (line, Err(reason)),
            });
        }
        found
    }

    #[track_caller]
    fn check(text: &str, expected: &[(u64, Result<&[&str], &str>)]) {
        let found = records(text.as_bytes());
        let found: Vec<_> = found
            .iter()
            .map(|(line, it)| {
                let fields =
                    it.as_ref().map(|it| it.iter().map(String::as_str).collect::<Vec<_>>());
                (*line, fields.map_err(String::as_str))
            })
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(line, it)| (*line, it.map(<[&str]>::to_vec))).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    const UNCLOSED: &str = "a quotation mark is not closed";

    #[test]
    fn the_separator_is_found_out() {
        for text in
            ["a,b\nc,d", "a;b\nc;d", "a\tb\nc\td", "\"a\";\"b\"\n\"c\";\"d\"", "a;b\nc;d;,,"]
        {
            let found = records(text.as_bytes());
            let first: Vec<_> = found.iter().map(|it| it.1.as_ref().unwrap()[0].as_str()).collect();
            assert_eq!(first, ["a", "c"], "{text:?}");
        }
        for text in [
            "sep=,\na,b",
            "sep=;\r\na;b",
            "SEP=\t\na\tb",
            "sep=|\na|b",
            "\"sep=,\",,,\na,b",
            "sep=;,,,\na,b",
            "\n sep=;\na;b",
        ] {
            let found = records(text.as_bytes());
            assert_eq!(
                found.last().unwrap().1,
                Ok(vec!["a".to_owned(), "b".to_owned()]),
                "{text:?}"
            );
        }
        check("sep=x\na", &[(1, Ok(&["sep=x"])), (2, Ok(&["a"]))]);
        check("one\ntwo,three", &[(1, Ok(&["one"])), (2, Ok(&["two", "three"]))]);
    }

    #[test]
    fn rows_without_a_value_are_skipped_and_counted() {
        check(
            "\r\n,,\r\na,b\r\n\r\n,\r\n\" \",\t\r\nc,\r\n",
            &[(3, Ok(&["a", "b"])), (7, Ok(&["c", ""]))],
        );
        check("", &[]);
        check("\n;;\n", &[]);
    }

    #[test]
    fn quotation_marks_keep_a_field_together() {
        check(
            "a,\"b \"\"c\"\", d\"\n\"e\r\nf\r\n\",g\r\nh,i \"j\" k\n",
            &[
                (1, Ok(&["a", "b \"c\", d"])),
                (2, Ok(&["e\r\nf\r\n", "g"])),
                (5, Ok(&["h", "i \"j\" k"])),
            ],
        );
        check("a,\"\"\n\"\",b", &[(1, Ok(&["a", ""])), (2, Ok(&["", "b"]))]);
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_costs_its_line_only() {
        let d =
            Err("text follows a closing quotation mark; within a field in quotation marks they \
                     are doubled");
        check(
            "a,b\nc,\"d\ne,f\ng,h",
            &[(1, Ok(&["a", "b"])), (2, Err(UNCLOSED)), (3, Ok(&["e", "f"])), (4, Ok(&["g", "h"]))],
        );
        check(
            "a,b\nc,\"d\ne,\"f\"\ng,\"h",
            &[(1, Ok(&["a", "b"])), (2, Err(UNCLOSED)), (3, Ok(&["e", "f"])), (4, Err(UNCLOSED))],
        );
        check(
            "a,b\n\"c\"d,e\n\"f\ng\"h,i\nj,k",
            &[
                (1, Ok(&["a", "b"])),
                (2, d),
                (3, Err(UNCLOSED)),
                (4, Ok(&["g\"h", "i"])),
                (5, Ok(&["j", "k"])),
            ],
        );
        // The line is that of the mark, also if the field before it was closed.
        check(
            "a,b\n\"c\nd\",\"e\nf,g",
            &[(1, Ok(&["a", "b"])), (3, Err(UNCLOSED)), (4, Ok(&["f", "g"]))],
        );
    }

    #[test]
    fn fields_and_lines_are_bounded() {
        let within = "x".repeat(MAX_FIELD);
        check(
            &format!("a,{within}\nb,\"{within}\"\nc,{within}x\nd,e"),
            &[
                (1, Ok(&["a", &within])),
                (2, Ok(&["b", &within])),
                (3, Err("a field is longer than 16384 bytes")),
                (4, Ok(&["d", "e"])),
            ],
        );
        // A mark that stays open for many lines.
        let rows = "b,c\n".repeat(MAX_FIELD);
        let found = records(format!("a,\"\n{rows}").as_bytes());
        assert_eq!(found[0], (1, Err(UNCLOSED.to_owned())));
        assert_eq!(found.len(), 1 + MAX_FIELD);
        assert_eq!(found.last().unwrap().0, 1 + u64::try_from(MAX_FIELD).unwrap());
        let long = "x,".repeat(64 * 1024);
        check(
            &format!("a,\"b\n{long}\nc,d"),
            &[(1, Err(UNCLOSED)), (2, Err("longer than 65536 bytes")), (3, Ok(&["c", "d"]))],
        );
    }

    #[test]
    fn a_line_that_may_be_cut_is_known() {
        let is_ended = |text: &str| {
            let mut records = Records::new(text.as_bytes()).unwrap();
            records.next_record().unwrap().unwrap().unwrap().is_ended()
        };
        assert!(is_ended("a,b\n") && is_ended("a,b\r") && is_ended("\"a\nb\"\r\n"));
        assert!(!is_ended("a,b") && !is_ended("\"a\nb\""));
    }

    /// Fields with every special character, and whether an empty row precedes them.
    fn rows() -> impl Strategy<Value = Vec<(Vec<String>, bool)>> {
        let field = "[^\u{feff}\0]{0,3}|[a\",;\t\r\n ']{0,6}";
        let fields = proptest::collection::vec(field, 2..5);
        let has_value = |fields: &Vec<String>| fields.iter().any(|it| !it.trim().is_empty());
        proptest::collection::vec((fields.prop_filter("empty", has_value), any::<bool>()), 0..6)
    }

    proptest! {
        #[test]
        fn a_table_is_the_same_however_it_is_written(
            rows in rows(),
            separator in prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')],
            end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
            is_named: bool,
            all_quoted: bool,
        ) {
            let (mut text, mut line, mut expected) = (String::new(), 1, Vec::new());
            if is_named || separator == '|' {
                text.push_str(&format!("sep={separator}{end}"));
                line += 1;
            }
            let header = (vec!["first".to_owned(), "second".to_owned()], false);
            for (fields, is_after_an_empty_one) in [header].into_iter().chain(rows) {
                if is_after_an_empty_one {
                    text.push_str(&format!("{separator}{separator}{end}"));
                    line += 1;
                }
                for (place, field) in fields.iter().enumerate() {
                    if place > 0 {
                        text.push(separator);
                    }
                    if all_quoted || field.contains(['"', '\r', '\n', separator]) {
                        text.push_str(&format!("\"{}\"", field.replace('"', "\"\"")));
                    } else {
                        text.push_str(field);
                    }
                }
                text.push_str(end);
                let breaks = |it: &String| it.replace("\r\n", "\n").matches(['\r', '\n']).count();
                let within: usize = fields.iter().map(breaks).sum();
                expected.push((line, Ok(fields)));
                line += 1 + u64::try_from(within).unwrap();
            }
            for bytes in encodings(&text) {
                prop_assert_eq!(records(&bytes), expected.clone());
            }
        }

        #[test]
        fn any_bytes_make_records_in_the_order_of_their_lines(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..300),
                "[ab\",;\n\r]{0,60}".prop_map(String::into_bytes),
            ],
        ) {
            let lines: Vec<u64> = records(&bytes).into_iter().map(|(line, _)| line).collect();
            prop_assert!(lines.is_sorted_by(|a, b| a < b), "{:?}", lines);
        }
    }
}
