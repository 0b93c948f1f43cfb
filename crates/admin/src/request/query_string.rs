//! Query strings of links.

/// Writes names and values as a query string, without those that are empty.
pub(crate) fn query_string<const N: usize>(pairs: [(&str, &str); N]) -> String {
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    // Pairs of text can always be written.
    serde_urlencoded::to_string(pairs).unwrap_or_default()
}
