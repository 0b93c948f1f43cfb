//! What commands print.

use std::io::{self, BufRead, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use indicatif::{ProgressBar, ProgressStyle};
pub(super) use rollcall_domain::grouped;
use rollcall_domain::{harmless, is_steering};
use serde_json::Value;

/// The standard output. Writing to it fails, rather than panics, when nobody reads any more.
pub(super) fn stdout() -> impl Write {
    io::stdout().lock()
}

/// Asks a question; only a clear yes on the standard input is one.
pub(super) fn confirmed(question: &str) -> anyhow::Result<bool> {
    let mut out = stdout();
    write!(out, "{question}")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.is_empty() {
        writeln!(out)?;
    }
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Prints a value as JSON, for people and programs alike: what could steer a terminal is escaped.
pub(super) fn print_json(value: &Value) -> anyhow::Result<()> {
    let mut json = String::new();
    for c in format!("{value:#}").chars() {
        match c {
            '\n' => json.push(c),
            c if is_steering(c) => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    writeln!(stdout(), "{json}").map_err(Into::into)
}

/// Text that a person typed, safe for a terminal; see [`harmless`].
pub(super) fn safe(text: &str) -> String {
    harmless(text).into_owned()
}

/// A time for people: to the second, in UTC.
pub(super) fn second(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A time for programs: RFC 3339, to the microsecond, in UTC.
pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A size for people.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut scaled = (bytes, "bytes", 0);
    for unit in UNITS {
        if scaled.0 < 1024 {
            break;
        }
        scaled = (scaled.0 / 1024, unit, scaled.0 % 1024 * 10 / 1024);
    }
    match scaled {
        (bytes, "bytes", _) => format!("{bytes} bytes"),
        (whole, unit, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

/// A bar on the standard error that tells how many of `what` are done; it shows nothing where that
/// is no terminal.
pub(super) fn progress_bar(what: &'static str) -> ProgressBar {
    let template = "[{bar:40}] {human_pos} of {human_len} {msg}, {eta} left";
    // The default style, should the template ever be wrong.
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style.progress_chars("=> ")).with_message(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(5 << 30), "5.0 GiB");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(safe("a\u{1b}[31mb\nc\u{202e}d"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d");
        assert_eq!(safe("Жук 👩‍🚀"), "Жук 👩‍🚀");
    }
}
