//! Logging to the standard error, filtered by `RUST_LOG`.

use log::{LevelFilter, Log, Metadata, Record};

use crate::environment::Environment;

/// Starts logging: by `RUST_LOG` where it is set, which env_logger reads, else from `default` on.
///
/// Targets of other crates are capped at info, whatever `RUST_LOG` says: below that some of them
/// tell what they send, which is people's words and the token.
///
/// # Errors
/// When logging was started before.
pub fn init(environment: &Environment, default: &str) -> anyhow::Result<()> {
    let filters = environment.get("RUST_LOG").unwrap_or(default);
    let logger = env_logger::Builder::new().parse_filters(filters).build();
    log::set_max_level(logger.filter());
    log::set_boxed_logger(Box::new(Capped(logger)))?;
    Ok(())
}

/// A logger that hears other crates only from info on.
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
    use log::Level;

    use super::*;

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
