//! What the demo prints.

use std::io::{self, Write};

/// Prints a text and marks its lines as the demo's.
pub(super) fn say(line: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for (number, line) in line.split('\n').enumerate() {
        let indent = if number == 0 { "" } else { "      " };
        writeln!(out, "{}", format!("demo │ {indent}{line}").trim_end())?;
    }
    Ok(())
}
