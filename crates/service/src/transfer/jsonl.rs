//! Users as JSON Lines: an object a line, in UTF-8.

use std::io::{BufRead, BufReader, Read};

use rollcall_domain::TelegramUser;

use super::{Given, ImportError, Refused, row::Fields};

/// The most bytes of a line: many times what a user can need.
const MAX_LINE: usize = 64 * 1024;

/// Adds a line for each user.
pub(super) fn write(users: &[TelegramUser], text: &mut Vec<u8>) {
    for user in users {
        // Texts, numbers and flags can always be written.
        let _written = serde_json::to_writer(&mut *text, &Fields::of(user));
        text.push(b'\n');
    }
}

/// Reads lines.
pub(super) struct Reader<R> {
    input: BufReader<R>,
    text: Vec<u8>,
    line: u64,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::new(input), text: Vec::new(), line: 0 }
    }

    /// The next line that is not blank; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Given>, ImportError> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            let line = self.line;
            if self.text.len() > MAX_LINE {
                self.skip_line()?;
                let reason = format!("longer than {MAX_LINE} bytes");
                return Ok(Some(Err(Refused { line, reason })));
            }
            let text = self.text.trim_ascii();
            if !text.is_empty() {
                return Ok(Some(read(text).map_err(|reason| Refused { line, reason })));
            }
        }
    }

    /// Reads a line, or the beginning of one that is too long; answers whether there was any.
    fn read_line(&mut self) -> Result<bool, ImportError> {
        self.text.clear();
        self.line += 1;
        let limit = u64::try_from(MAX_LINE + 1).unwrap_or(u64::MAX);
        let mut input = (&mut self.input).take(limit);
        let read = input.read_until(b'\n', &mut self.text).map_err(ImportError::Unreadable)?;
        Ok(read > 0)
    }

    fn skip_line(&mut self) -> Result<(), ImportError> {
        if self.text.ends_with(b"\n") {
            return Ok(());
        }
        self.input.skip_until(b'\n').map(drop).map_err(ImportError::Unreadable)
    }
}

fn read(text: &[u8]) -> Result<TelegramUser, String> {
    // The line's number in the file is told already.
    let reason = |error: serde_json::Error| error.to_string().replace(" at line 1 ", " at ");
    serde_json::from_slice::<Fields<'_>>(text).map_err(reason)?.into_user()
}
