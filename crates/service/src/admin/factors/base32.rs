//! Base32 in two alphabets (RFC 4648 and Crockford's), with five bits per character, without padding.

/// The alphabet of RFC 4648, which authenticator apps expect.
pub(in crate::admin) const RFC4648: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Crockford's alphabet in lower case, without letters that look like digits or each other.
pub(in crate::admin) const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Encodes bytes. Missing bits of the last character count as 0.
pub(in crate::admin) fn encode(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let bit = |n: usize| bytes.get(n / 8).map_or(0, |byte| usize::from(byte >> (7 - n % 8) & 1));
    let characters = (0..bytes.len() * 8).step_by(5);
    let value = |first: usize| (first..first + 5).fold(0, |value, n| value << 1 | bit(n));
    characters.map(|first| alphabet.get(value(first)).map_or('0', |it| char::from(*it))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_matches_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(encode(bytes.as_bytes(), RFC4648), text);
        }
        assert_eq!(encode(&[0xff, 0x00, 0x84, 0x21, 0x08], CROCKFORD), "zw088888");
    }
}
