use std::io::Write as _;

/// A server, or something else that tests need, that may not be there.
pub(crate) struct OptionalServer {
    pub(crate) name: &'static str,
    /// The environment variable that turns its absence into a failure.
    pub(crate) variable: &'static str,
}

impl OptionalServer {
    /// The started server; or `None`, after printing that the test is skipped.
    pub(crate) fn or_skipped<T>(&self, started: Result<T, String>) -> Option<T> {
        let Self { name, variable } = self;
        match started {
            Ok(started) => Some(started),
            Err(reason) => {
                assert!(
                    std::env::var(variable).as_deref() != Ok("1"),
                    "{variable}=1, but {name} could not be started: {reason}"
                );
                let test = std::thread::current().name().unwrap_or("a test").to_owned();
                // Not eprintln!, which the test runner would capture.
                let line = format!("SKIPPED {test}: {name} could not be started: {reason}\n");
                std::io::stderr().write_all(line.as_bytes()).expect("the standard error is open");
                None
            }
        }
    }
}
