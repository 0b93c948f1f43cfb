//! A set of places in a list, as a bit for each.

const WORD: usize = 64;

/// Which places of a list are in a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    places: usize,
}

impl Bits {
    /// No place of a list of this length.
    pub(crate) fn none(places: usize) -> Self {
        Self { words: vec![0; places.div_ceil(WORD)], places }
    }

    /// Every place of a list of this length.
    pub(crate) fn all(places: usize) -> Self {
        Self::none(places).inverted()
    }

    /// How long the list is.
    pub(crate) fn places(&self) -> usize {
        self.places
    }

    /// Adds a place; one beyond the list is ignored.
    pub(crate) fn add(&mut self, place: usize) {
        if place < self.places
            && let Some(word) = self.words.get_mut(place / WORD)
        {
            *word |= 1 << (place % WORD);
        }
    }

    /// Whether a place is in the set.
    pub(crate) fn has(&self, place: usize) -> bool {
        self.words.get(place / WORD).is_some_and(|word| word >> (place % WORD) & 1 == 1)
    }

    /// How many places are in the set.
    pub(crate) fn count(&self) -> usize {
        let ones = self.words.iter().map(|word| word.count_ones());
        usize::try_from(ones.sum::<u32>()).unwrap_or(usize::MAX)
    }

    /// The places in the set, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(number, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = usize::try_from(left.trailing_zeros()).ok().filter(|bit| *bit < WORD)?;
                left &= left - 1;
                Some(number * WORD + bit)
            })
        })
    }

    /// The places that are in both.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
        self
    }

    /// The places that are in either.
    pub(crate) fn or(mut self, other: &Self) -> Self {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
        self
    }

    /// The places that are not in the set.
    pub(crate) fn inverted(mut self) -> Self {
        for word in &mut self.words {
            *word = !*word;
        }
        let beyond = self.words.len() * WORD - self.places;
        if let Some(last) = self.words.last_mut() {
            *last &= u64::MAX >> beyond;
        }
        self
    }

    /// The bits as bytes, eight places each.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let bytes = self.words.iter().flat_map(|word| word.to_le_bytes());
        bytes.take(self.places.div_ceil(8)).collect()
    }

    /// The bits of a list of this length from their bytes; bits beyond the list are ignored.
    pub(crate) fn from_bytes(bytes: &[u8], places: usize) -> Self {
        let word = |bytes: &[u8]| {
            let bytes = bytes.iter().enumerate();
            bytes.fold(0, |word, (place, byte)| word | u64::from(*byte) << (8 * place))
        };
        let mut words: Vec<u64> = bytes.chunks(8).map(word).collect();
        words.resize(places.div_ceil(WORD), 0);
        Self { words, places }.and(&Self::all(places))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::btree_set, prelude::*};

    use super::*;

    fn bits(set: &BTreeSet<usize>, places: usize) -> Bits {
        let mut bits = Bits::none(places);
        set.iter().for_each(|place| bits.add(*place));
        bits
    }

    proptest! {
        #[test]
        fn bits_are_a_set_of_places(
            a in btree_set(0..200_usize, 0..200),
            b in btree_set(0..200_usize, 0..200),
            places in 0..200_usize,
        ) {
            let within = |set: &BTreeSet<usize>| -> BTreeSet<usize> {
                set.iter().copied().filter(|place| *place < places).collect()
            };
            let set = |bits: &Bits| bits.iter().collect::<BTreeSet<usize>>();
            let (one, other) = (bits(&a, places), bits(&b, places));
            let (a, b) = (within(&a), within(&b));
            prop_assert_eq!(set(&one), a.clone());
            prop_assert_eq!(one.count(), a.len());
            prop_assert!((0..200).all(|place| one.has(place) == a.contains(&place)));
            prop_assert_eq!(set(&one.clone().and(&other)), &a & &b);
            prop_assert_eq!(set(&one.clone().or(&other)), &a | &b);
            let all: BTreeSet<usize> = (0..places).collect();
            prop_assert_eq!(set(&one.clone().inverted()), &all - &a);
            prop_assert_eq!(Bits::from_bytes(&one.to_bytes(), places), one);
        }
    }
}
