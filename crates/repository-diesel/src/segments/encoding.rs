//! How the ids of a part, and the members of a segment among them, are stored.
//!
//! Ids are increasing, so each is stored as the difference to the one before, seven bits a byte. Members
//! are places in the list of ids, in the shortest of three forms: a bit for each place, the places
//! themselves as differences, or those of all others. So a part has its ids once, and a segment at most
//! a bit for each user.

use crate::directory::members::bits::Bits;

const BITS: u8 = 0;
const PLACES: u8 = 1;
const OTHERS: u8 = 2;

/// Increasing numbers, none of which is negative.
pub(super) fn encode_ids(ids: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = 0;
    for id in ids {
        let mut rest = id.wrapping_sub(before);
        before = id;
        loop {
            let low = u8::try_from(rest & 0x7f).unwrap_or_default();
            rest = (rest >> 7) & (i64::MAX >> 6);
            if rest == 0 {
                bytes.push(low);
                break;
            }
            bytes.push(low | 0x80);
        }
    }
    bytes
}

/// The numbers that [`encode_ids`] wrote; `None` if it did not write these bytes.
pub(super) fn decode_ids(bytes: &[u8]) -> Option<Vec<i64>> {
    let mut ids = Vec::new();
    let (mut id, mut difference, mut shift) = (0_i64, 0_i64, 0);
    for byte in bytes {
        let low = i64::from(byte & 0x7f);
        let moved = low.checked_shl(shift).filter(|it| it >> shift == low)?;
        difference |= moved;
        shift += 7;
        if byte & 0x80 == 0 {
            id = id.checked_add(difference)?;
            ids.push(id);
            (difference, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(ids)
}

/// The members among the users of a part.
pub(super) fn encode_members(members: &Bits) -> Vec<u8> {
    let form = |tag: u8, bytes: Vec<u8>| [vec![tag], bytes].concat();
    let places = |bits: &Bits| encode_ids(bits.iter().filter_map(|it| i64::try_from(it).ok()));
    [
        form(PLACES, places(members)),
        form(OTHERS, places(&members.clone().inverted())),
        form(BITS, members.to_bytes()),
    ]
    .into_iter()
    .min_by_key(Vec::len)
    .unwrap_or_default()
}

/// What [`encode_members`] wrote for a part with so many users; `None` if it did not write these bytes.
pub(super) fn decode_members(bytes: &[u8], users: usize) -> Option<Bits> {
    let (tag, bytes) = bytes.split_first()?;
    let places = || {
        let mut bits = Bits::none(users);
        for place in decode_ids(bytes)? {
            bits.add(usize::try_from(place).ok()?);
        }
        Some(bits)
    };
    match *tag {
        BITS => Some(Bits::from_bytes(bytes, users)),
        PLACES => places(),
        OTHERS => Some(places()?.inverted()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::{btree_set, vec},
        prelude::*,
    };

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            ids in btree_set(prop_oneof![1..300_i64, 1..=i64::MAX], 0..100),
            members in vec(any::<bool>(), 0..500),
            share in 0..20_usize,
        ) {
            let ids: Vec<i64> = ids.into_iter().collect();
            prop_assert_eq!(decode_ids(&encode_ids(ids.iter().copied())), Some(ids));
            // Few members, many, and nearly all.
            for is_member in [
                |member: bool, _: usize, _: usize| member,
                |_, place, share| place % 20 < share,
                |_, place, _| place == 7,
                |_, place, _| place != 7,
            ] {
                let mut bits = Bits::none(members.len());
                for (place, member) in members.iter().enumerate() {
                    if is_member(*member, place, share) {
                        bits.add(place);
                    }
                }
                let bytes = encode_members(&bits);
                prop_assert!(bytes.len() <= 1 + members.len().div_ceil(8));
                prop_assert_eq!(decode_members(&bytes, members.len()), Some(bits));
            }
        }

        #[test]
        fn other_bytes_are_refused_or_read(bytes in vec(any::<u8>(), 0..40), users in 0..200_usize) {
            let _ids = decode_ids(&bytes);
            let _members = decode_members(&bytes, users);
        }
    }

    #[test]
    fn sparse_ids_take_two_bytes_and_members_less_than_a_bit() {
        let ids: Vec<i64> = (1..=20_000).map(|n| 5_000_000_000 + n * 800 + n * n % 97).collect();
        assert!(encode_ids(ids.iter().copied()).len() < 40_100);
        let size = |is_member: &dyn Fn(usize) -> bool| {
            let mut bits = Bits::none(ids.len());
            (0..ids.len()).filter(|place| is_member(*place)).for_each(|place| bits.add(place));
            encode_members(&bits).len()
        };
        assert_eq!(size(&|_| true), 1);
        assert_eq!(size(&|_| false), 1);
        assert_eq!(size(&|place| place % 2 == 0), 2_501);
        assert_eq!(size(&|place| place % 100 == 0), 201);
    }
}
