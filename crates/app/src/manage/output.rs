//! What commands print.

use std::{
    io::{self, BufRead, Write},
    thread,
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use rollcall_domain::{harmless, is_steering};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::shutdown::Shutdown;

/// The standard output. Writing to a closed pipe returns an error instead of panicking.
pub(super) fn stdout() -> impl Write {
    io::stdout().lock()
}

/// Asks a question; only `y` or `yes` on the standard input confirms it.
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

/// The same, until Ctrl-C is pressed, which confirms nothing.
pub(super) async fn confirmed_until_stopped(question: String) -> anyhow::Result<bool> {
    let shutdown = Shutdown::on_signals()?;
    // A thread of its own, because the end of the program waits for no such thread.
    let (answered, answer) = oneshot::channel();
    thread::spawn(move || answered.send(confirmed(&question)));
    tokio::select! {
        answer = answer => answer?,
        () = shutdown.requested() => Ok(false),
    }
}

/// Prints a value as JSON. Characters that could control a terminal are escaped.
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

/// A text from a user, made safe for a terminal; see [`harmless`].
pub(super) fn safe(text: &str) -> String {
    harmless(text).into_owned()
}

/// A readable time: to the second, in UTC.
pub(super) fn second(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A time for JSON: RFC 3339, to the microsecond, in UTC.
pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A readable size: 1.5 KiB.
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

/// A readable span of time, to two units: 8 min 14 s.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |more: u64, unit: &str, less: u64, small: &str| match less {
        0 => format!("{more} {unit}"),
        less => format!("{more} {unit} {less} {small}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => two(minutes, "min", seconds % 60, "s"),
        (0, hours, _) => two(hours, "h", minutes % 60, "min"),
        (days, ..) => two(days, "d", hours % 24, "h"),
    }
}

/// A bar on the standard error that counts `what`; hidden if that is not a terminal.
pub(super) fn progress_bar(what: &'static str) -> ProgressBar {
    let template = "[{bar:40}] {human_pos} of {human_len} {msg}, {eta} left";
    // The default style, if the template is wrong.
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
    fn spans_have_two_units() {
        for (seconds, shown) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (494, "8 min 14 s"),
            (3_600, "1 h"),
            (3_961, "1 h 6 min"),
            (86_400, "1 d"),
            (183_600, "2 d 3 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn a_name_cannot_control_the_terminal() {
        assert_eq!(safe("a\u{1b}[31mb\nc\u{202e}d"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d");
        assert_eq!(safe("Жук 👩‍🚀"), "Жук 👩‍🚀");
    }
}
