//! Query strings of links, and the fields of requests.

/// Writes names and values as a query string, without those that are empty.
pub(crate) fn query_string<const N: usize>(pairs: [(&str, &str); N]) -> String {
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    // Pairs of text can always be written.
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}

/// The first value of a field; empty if there is none.
pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let pair = pairs.iter().find(|(key, _)| key == name);
    pair.map(|(_, value)| value.trim()).unwrap_or_default()
}
