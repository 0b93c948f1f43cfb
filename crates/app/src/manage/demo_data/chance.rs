//! What is left to chance; the same seed brings the same.

/// Whether something happens that does in so many of a thousand cases.
pub(crate) fn happens(per_mille: u32, random: &mut fastrand::Rng) -> bool {
    random.u32(..1000) < per_mille
}

/// One of `texts`, each as likely as the others; "" where there is none.
pub(crate) fn pick(texts: &[&'static str], random: &mut fastrand::Rng) -> &'static str {
    texts.get(random.usize(..texts.len().max(1))).copied().unwrap_or_default()
}

/// One of `choices`, the likelier the larger its weight; `None` where none has any.
pub(crate) fn weighted<'a, T>(
    choices: &'a [(T, u32)],
    random: &mut fastrand::Rng,
) -> Option<&'a T> {
    let total: u32 = choices.iter().map(|(_, weight)| weight).sum();
    let mut left = random.u32(..total.max(1));
    for (choice, weight) in choices {
        match left.checked_sub(*weight) {
            None => return Some(choice),
            Some(rest) => left = rest,
        }
    }
    None
}
