//! Server-sent events, which an open page asks for again and again by itself.

use axum::http::{HeaderMap, header};

/// The media type of events.
pub(crate) const EVENTS: &str = "text/event-stream";

/// Whether a request asks for events.
pub(crate) fn asks_for_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.starts_with(EVENTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_browsers_that_ask_for_events_get_them() {
        let asks = |accept: &str| {
            asks_for_events(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]))
        };
        assert!(asks("text/event-stream"));
        assert!(!asks("text/html,*/*") && !asks_for_events(&HeaderMap::new()));
    }
}
