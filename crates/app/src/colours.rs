//! Colours for a terminal. They follow `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE`
//! (<https://no-color.org>, <https://bixense.com/clicolors>), and are off if the output is not a
//! terminal.

use std::io;

use anstream::{AutoStream, ColorChoice, stream::RawStream};

const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
/// Bold and red, as clap writes it.
const ERROR: &str = "\u{1b}[1m\u{1b}[31m";
const RESET: &str = "\u{1b}[0m";

/// Begins the line of an error on the standard error.
pub(crate) fn error() -> String {
    painted("error:", ERROR, &io::stderr())
}

/// A mark for the standard output: it passed.
pub(crate) fn passed() -> String {
    painted("✓", GREEN, &io::stdout())
}

/// A mark for the standard output: it failed.
pub(crate) fn failed() -> String {
    painted("✗", ERROR, &io::stdout())
}

/// A mark for the standard output: a warning.
pub(crate) fn warning() -> String {
    painted("!", YELLOW, &io::stdout())
}

fn painted(text: &str, colour: &str, output: &impl RawStream) -> String {
    match AutoStream::choice(output) {
        ColorChoice::Never => text.to_owned(),
        _ => format!("{colour}{text}{RESET}"),
    }
}
