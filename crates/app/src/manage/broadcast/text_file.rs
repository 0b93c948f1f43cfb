//! Files with the texts of messages.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::Context;

use crate::WrongUsage;

/// The most bytes of a file with a text.
const MOST_BYTES: u64 = 1 << 16;

/// A text from a file, without the line break at its end.
pub(super) fn read_file(path: &Path) -> anyhow::Result<String> {
    let is_input = path == Path::new("-");
    let name = if is_input { "the standard input".to_owned() } else { path.display().to_string() };
    let read = || {
        let source: Box<dyn Read> =
            if is_input { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
        let mut bytes = Vec::new();
        source.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    };
    let bytes = read().with_context(|| format!("cannot read {name}"))?;
    if bytes.len() > usize::try_from(MOST_BYTES)? {
        return Err(WrongUsage(format!(
            "{name} is longer than a message; expected at most 64 KiB"
        ))
        .into());
    }
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(WrongUsage(format!("{name} is not UTF-8; save it in this encoding")).into());
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n");
    Ok(text.trim_end_matches('\n').to_owned())
}
