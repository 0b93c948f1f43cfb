use std::error::Error;

/// An error with its sources, on one line: `cannot save: disk full`.
pub fn error_chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(&format!(": {error}"));
        source = error.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot save")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("disk\n  full")]
    struct Inner;

    #[test]
    fn an_error_and_its_sources_are_one_line() {
        assert_eq!(error_chain(&Outer(Inner)), "cannot save: disk full");
        assert_eq!(error_chain(&Inner), "disk full");
    }
}
