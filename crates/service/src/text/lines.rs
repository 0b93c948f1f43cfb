//! Lines, numbered as in editors.

use std::io::{self, BufRead, BufReader, Read};

use super::decoded::Decoded;

/// The most bytes of a line in UTF-8: many times the size of a user.
const MAX_LINE: usize = 64 * 1024;

/// Reads lines. Each of `\n`, `\r\n` and `\r` ends a line, also mixed.
pub struct Lines<R> {
    input: BufReader<Decoded<R>>,
    bytes: Vec<u8>,
    number: u64,
}

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, counted from 1.
    pub number: u64,
    /// Its text.
    pub text: Result<&'a str, Unreadable>,
    /// Its line ending; empty at the end of the file.
    pub end: &'static str,
}

/// Why a line cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is longer than the limit.
    #[error("longer than {MAX_LINE} bytes")]
    TooLong,
    /// It is in another encoding, or was truncated.
    #[error("not UTF-8; save the file as UTF-8")]
    NotUtf8,
    /// It has a U+0000.
    #[error("has a U+0000, as a file in UTF-16 without a byte order mark has; save it as UTF-8")]
    Nul,
}

/// A rejected line, or several lines that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The number of the line, counted from 1; of several lines, the first.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl<R: Read> Lines<R> {
    /// Creates a reader over a file, at its beginning.
    pub fn new(input: R) -> Self {
        Self { input: BufReader::new(Decoded::new(input)), bytes: Vec::new(), number: 0 }
    }

    /// The next line; `None` at the end of the file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.bytes.clear();
        let mut is_too_long = false;
        let end = loop {
            let available = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                available => available?,
            };
            if available.is_empty() {
                if self.bytes.is_empty() && !is_too_long {
                    return Ok(None);
                }
                break "";
            }
            let (text, end) = until_end(available);
            // The rest of a long line is read, but not stored.
            is_too_long |= self.bytes.len() + text.len() > MAX_LINE;
            if !is_too_long {
                self.bytes.extend_from_slice(text);
            }
            let read = text.len() + end.map_or(0, str::len);
            self.input.consume(read);
            match end {
                Some("\r") if self.skip_line_feed()? => break "\r\n",
                Some(end) => break end,
                None => {}
            }
        };
        self.number += 1;
        let text = if is_too_long { Err(Unreadable::TooLong) } else { read(&self.bytes) };
        Ok(Some(Line { number: self.number, text, end }))
    }

    fn skip_line_feed(&mut self) -> io::Result<bool> {
        loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                available => {
                    let is_there = available?.first() == Some(&b'\n');
                    self.input.consume(is_there.into());
                    return Ok(is_there);
                }
            }
        }
    }
}

/// Splits the bytes at the first line ending, and returns the ending.
fn until_end(bytes: &[u8]) -> (&[u8], Option<&'static str>) {
    let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    let Some((text, [first, ..])) = end.and_then(|end| bytes.split_at_checked(end)) else {
        return (bytes, None);
    };
    (text, Some(if *first == b'\n' { "\n" } else { "\r" }))
}

fn read(bytes: &[u8]) -> Result<&str, Unreadable> {
    let text = str::from_utf8(bytes).map_err(|_| Unreadable::NotUtf8)?;
    if text.contains('\0') { Err(Unreadable::Nul) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Numbered = (u64, Result<String, Unreadable>, &'static str);

    fn lines(bytes: &[u8]) -> Vec<Numbered> {
        let mut lines = Lines::new(bytes);
        let mut lines_read = Vec::new();
        while let Some(Line { number, text, end }) = lines.next_line().unwrap() {
            lines_read.push((number, text.map(str::to_owned), end));
        }
        lines_read
    }

    fn line(number: u64, text: &str, end: &'static str) -> Numbered {
        (number, Ok(text.to_owned()), end)
    }

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"\n"), [line(1, "", "\n")]);
        assert_eq!(
            lines(b"\xef\xbb\xbfa\r\n\r\nb\rc\n\n\r d"),
            [
                line(1, "a", "\r\n"),
                line(2, "", "\r\n"),
                line(3, "b", "\r"),
                line(4, "c", "\n"),
                line(5, "", "\n"),
                line(6, "", "\r"),
                line(7, " d", ""),
            ]
        );
    }

    #[test]
    fn a_line_that_cannot_be_read_costs_no_other() {
        let longest = "x".repeat(MAX_LINE);
        let text = [b"a\n\xfcber\nb\0\n", longest.as_bytes(), b"\n", longest.as_bytes(), b"y\r\nc"];
        assert_eq!(
            lines(&text.concat()),
            [
                line(1, "a", "\n"),
                (2, Err(Unreadable::NotUtf8), "\n"),
                (3, Err(Unreadable::Nul), "\n"),
                line(4, &longest, "\n"),
                (5, Err(Unreadable::TooLong), "\r\n"),
                line(6, "c", ""),
            ]
        );
    }

    #[test]
    fn what_a_line_has_too_much_is_not_kept() {
        struct Endless;
        impl Read for Endless {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                out.fill(b'x');
                Ok(out.len())
            }
        }
        let mut lines = Lines::new(Endless.take(1 << 30));
        assert_eq!(lines.next_line().unwrap().unwrap().text, Err(Unreadable::TooLong));
        assert!(lines.bytes.capacity() <= 2 * MAX_LINE, "{}", lines.bytes.capacity());
        assert_eq!(lines.next_line().unwrap(), None);
    }

    proptest! {
        /// Lines whose ends are before, at and after the end of the buffer.
        #[test]
        fn nothing_is_lost_between_the_ends(
            parts in proptest::collection::vec(
                ("[a-zé]{0,5}|x{8180,8195}", prop_oneof![Just("\n"), Just("\r\n"), Just("\r")]),
                0..8,
            ),
        ) {
            let text: String = parts.iter().flat_map(|(text, end)| [text.as_str(), end]).collect();
            let read: String = lines(text.as_bytes())
                .into_iter()
                .flat_map(|(_, text, end)| [text.unwrap(), end.to_owned()])
                .collect();
            prop_assert!(read == text);
            // A \r followed by a \n is one line ending.
            let joined = parts.windows(2).filter(|it| it[0].1 == "\r" && it[1] == (String::new(), "\n"));
            prop_assert_eq!(lines(text.as_bytes()).len() + joined.count(), parts.len());
        }

        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let lines_read = lines(&bytes);
            prop_assert!(lines_read.iter().zip(1..).all(|((number, ..), n)| *number == n));
        }
    }
}
