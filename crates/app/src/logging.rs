//! Logging to the standard error, filtered by `RUST_LOG`.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use chrono::{DateTime, SecondsFormat, Utc};
use env_logger::fmt::{Formatter, style::AnsiColor};
use log::{
    LevelFilter, Log, Metadata, Record,
    kv::{Key, Value, VisitSource},
};
use rollcall_domain::{Clock, SystemClock};

use crate::environment::Environment;

/// Starts logging, filtered by `RUST_LOG` if it is set, else by `default`.
///
/// Targets of other crates are capped at info, whatever `RUST_LOG` says: below that, some of them log
/// what they send, which includes users' messages and the token.
///
/// # Errors
/// If logging was started before.
pub fn init(environment: &Environment, default: &str) -> anyhow::Result<()> {
    let filters = environment.get("RUST_LOG").unwrap_or(default);
    let mut builder = env_logger::Builder::new();
    let logger = builder
        .parse_filters(filters)
        .format(|line, record| write(line, record, SystemClock.now()))
        .build();
    log::set_max_level(logger.filter());
    log::set_boxed_logger(Box::new(Capped(logger)))?;
    Ok(())
}

/// Writes a line: time (UTC), level, target, message and fields. Further lines of a message are
/// indented, so that none looks like a separate record.
fn write(line: &mut Formatter, record: &Record<'_>, now: DateTime<Utc>) -> io::Result<()> {
    let level = line.default_level_style(record.level());
    let dimmed = AnsiColor::BrightBlack.on_default();
    let now = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut text = record.args().to_string();
    record.key_values().visit(&mut Fields(&mut text)).map_err(io::Error::other)?;
    writeln!(
        line,
        "{dimmed}[{dimmed:#}{now} {level}{:<5}{level:#} {}{dimmed}]{dimmed:#} {}",
        record.level(),
        record.target(),
        text.replace('\n', "\n    ")
    )
}

/// Adds fields to a message as ` name=value`.
struct Fields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Fields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        Ok(write!(self.0, " {key}={value}")?)
    }
}

/// A logger that ignores records of other crates below info.
struct Capped(env_logger::Logger);

impl Log for Capped {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let loudest =
            if is_ours(metadata.target()) { LevelFilter::Trace } else { LevelFilter::Info };
        metadata.level() <= loudest && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn is_ours(target: &str) -> bool {
    let crate_name = target.split("::").next().unwrap_or_default();
    matches!(crate_name, "bot" | "manage") || crate_name.starts_with("rollcall_")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use env_logger::Target;
    use log::Level;

    use super::*;

    #[test]
    fn a_record_is_one_line_with_its_fields() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let logger = env_logger::Builder::new()
            .parse_filters("info")
            .target(Target::Pipe(Box::new(Pipe(written.clone()))))
            .format(|line, record| write(line, record, DateTime::UNIX_EPOCH))
            .build();
        let fields = [("bot_id", 7), ("batch", 2)];
        logger.log(
            &Record::builder()
                .level(Level::Warn)
                .target("rollcall_app::bot")
                .args(format_args!("two\nlines"))
                .key_values(&fields)
                .build(),
        );
        let written = written.lock().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&written),
            "[1970-01-01T00:00:00Z WARN  rollcall_app::bot] two\n    lines bot_id=7 batch=2\n"
        );
    }

    struct Pipe(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn others_are_heard_from_info_on() {
        let logger = Capped(env_logger::Builder::new().parse_filters("trace").build());
        let hears = |target, level| {
            logger.enabled(&Metadata::builder().target(target).level(level).build())
        };
        assert!(hears("rollcall_service::users", Level::Trace) && hears("bot", Level::Trace));
        assert!(hears("hyper_util::client", Level::Info));
        assert!(!hears("hyper_util::client", Level::Debug) && !hears("reqwest", Level::Trace));
        assert!(!hears("bothersome", Level::Debug));
    }
}
