//! Detects encodings by the byte order mark.

use std::io::{self, Cursor, Read};

/// Replaces an unpaired surrogate or an incomplete character. UTF-8 never has this byte, so only
/// the line with it is rejected.
const NOT_A_CHARACTER: u8 = 0xff;

/// A file as UTF-8, without its byte order mark. A file that begins with the mark of UTF-16 is
/// converted; any other is passed on unchanged.
pub struct Decoded<R> {
    input: R,
    /// `None` before the first bytes are read.
    encoding: Option<Encoding>,
    /// Bytes of an incomplete UTF-16 character: at most three.
    undecoded: Vec<u8>,
    /// Decoded bytes that were not read yet.
    ready: Cursor<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    /// UTF-16, with the function that combines two bytes to a unit.
    Utf16(fn([u8; 2]) -> u16),
}

impl<R: Read> Decoded<R> {
    /// Creates a reader over a file, at its beginning.
    pub fn new(input: R) -> Self {
        Self { input, encoding: None, undecoded: Vec::new(), ready: Cursor::default() }
    }

    fn begin(&mut self) -> io::Result<Encoding> {
        let mut head = Vec::new();
        (&mut self.input).take(3).read_to_end(&mut head)?;
        let encoding = match head.as_slice() {
            [0xef, 0xbb, 0xbf] => Encoding::Utf8,
            [0xff, 0xfe, rest @ ..] => {
                self.undecoded = rest.to_vec();
                Encoding::Utf16(u16::from_le_bytes)
            }
            [0xfe, 0xff, rest @ ..] => {
                self.undecoded = rest.to_vec();
                Encoding::Utf16(u16::from_be_bytes)
            }
            _ => {
                self.ready = Cursor::new(head);
                Encoding::Utf8
            }
        };
        self.encoding = Some(encoding);
        Ok(encoding)
    }

    /// Decodes the next bytes, and returns whether there were any.
    fn decode(&mut self, unit: fn([u8; 2]) -> u16) -> io::Result<bool> {
        const CHUNK: u64 = 8 * 1024;
        let read = (&mut self.input).take(CHUNK).read_to_end(&mut self.undecoded)?;
        let (pairs, odd) = self.undecoded.as_chunks::<2>();
        let mut units: Vec<u16> = pairs.iter().copied().map(unit).collect();
        let mut kept = odd.len();
        // A high surrogate: the low one is in the next bytes.
        if read > 0 && units.pop_if(|unit| (0xd800..0xdc00).contains(unit)).is_some() {
            kept += 2;
        }
        let rest = self.undecoded.split_off(self.undecoded.len() - kept);
        self.undecoded = rest;
        let ready = self.ready.get_mut();
        ready.clear();
        for character in char::decode_utf16(units) {
            match character {
                Ok(character) => {
                    ready.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Err(_) => ready.push(NOT_A_CHARACTER),
            }
        }
        if read == 0 && !self.undecoded.is_empty() {
            self.undecoded.clear();
            ready.push(NOT_A_CHARACTER);
        }
        self.ready.set_position(0);
        Ok(read > 0 || !self.ready.get_ref().is_empty())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let encoding = match self.encoding {
            Some(encoding) => encoding,
            None => self.begin()?,
        };
        loop {
            let read = self.ready.read(out)?;
            if read > 0 {
                return Ok(read);
            }
            match encoding {
                Encoding::Utf8 => return self.input.read(out),
                Encoding::Utf16(unit) if !self.decode(unit)? => return Ok(0),
                Encoding::Utf16(_) => {}
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// The text in every supported encoding.
    pub(in crate::text) fn encodings(text: &str) -> [Vec<u8>; 4] {
        let units = || text.encode_utf16();
        let little = units().flat_map(u16::to_le_bytes);
        let big = units().flat_map(u16::to_be_bytes);
        [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [0xff, 0xfe].into_iter().chain(little).collect(),
            [0xfe, 0xff].into_iter().chain(big).collect(),
        ]
    }

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::new();
        Decoded::new(bytes).read_to_end(&mut decoded).unwrap();
        decoded
    }

    /// A reader that returns only a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let few = out.len().min(self.1);
            self.0.read(out.get_mut(..few).unwrap())
        }
    }

    #[test]
    fn half_characters_spoil_their_place_only() {
        let text = |units: &[u16]| {
            let bytes = units.iter().flat_map(|unit| unit.to_le_bytes());
            decoded(&[0xff, 0xfe].into_iter().chain(bytes).collect::<Vec<_>>())
        };
        assert_eq!(text(&[0x61, 0xd83d, 0x62]), b"a\xffb");
        assert_eq!(text(&[0xde80, 0x0a, 0x62]), b"\xff\nb");
        assert_eq!(text(&[0x61, 0xd83d]), b"a\xff");
        assert_eq!(decoded(b"\xff\xfea\0b"), b"a\xff");
        assert_eq!(decoded(b"\xfe\xff"), b"");
    }

    #[test]
    fn other_bytes_are_passed_on() {
        for bytes in
            [&b""[..], b"a", b"\xef", b"\xef\xbb", b"\xff", b"a\xef\xbb\xbf", b"\xffab\x80"]
        {
            assert_eq!(decoded(bytes), bytes);
        }
        assert_eq!(decoded(b"\xef\xbb\xbf"), b"");
    }

    proptest! {
        #[test]
        fn a_text_is_the_same_in_every_encoding(
            text in "[^\u{feff}]\\PC{0,20}[\r\n]?|(😀|é|a){3000,5000}",
            few in 1_usize..9,
        ) {
            for bytes in encodings(&text) {
                prop_assert!(decoded(&bytes) == text.as_bytes());
                let mut slowly = String::new();
                let mut reader = BufReader::with_capacity(few, Decoded::new(Trickle(&bytes, few)));
                reader.read_to_string(&mut slowly).unwrap();
                prop_assert!(slowly == text);
            }
        }
    }
}
