//! Names that a person mistyped.

/// How much of an unknown name a message repeats.
const SHOWN_CHARS: usize = 40;

/// The known name that differs from `name` in at most two letters, if there is one.
pub(crate) fn most_like<'a>(known: impl Iterator<Item = &'a str>, name: &str) -> Option<&'a str> {
    let like = known
        .map(|known| (strsim::osa_distance(known, name), known))
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len().min(name.len()));
    like.min().map(|(_, known)| known)
}

/// The beginning of a name, as much as fits into a message.
pub(crate) fn shortened(name: &str) -> String {
    let mut shown: String = name.chars().take(SHOWN_CHARS).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}
