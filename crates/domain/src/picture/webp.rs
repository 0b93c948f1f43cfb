//! WebP (RFC 9649).

use super::bytes::little_32;

/// Where the first chunk begins.
const FIRST: usize = 12;
/// The type and the length of a chunk.
const BEFORE: usize = 8;

/// Whether a file says that it is a WebP.
pub(super) fn is_one(content: &[u8]) -> bool {
    content.starts_with(b"RIFF") && content.get(8..FIRST) == Some(b"WEBP".as_slice())
}

/// The width and the height; `None` if the header is broken, or the file is shorter than it says.
pub(super) fn size(content: &[u8]) -> Option<(u32, u32)> {
    let length = usize::try_from(little_32(content, 4)?).ok()?;
    let whole = content.get(..length.checked_add(8)?)?;
    let chunk = usize::try_from(little_32(whole, FIRST + 4)?).ok()?;
    let data = whole.get(FIRST + BEFORE..)?.get(..chunk)?;
    match whole.get(FIRST..FIRST + 4)? {
        b"VP8 " => lossy(data),
        b"VP8L" => lossless(data),
        b"VP8X" => extended(data),
        _ => None,
    }
}

/// A key frame of VP8 (RFC 6386, 9.1).
fn lossy(data: &[u8]) -> Option<(u32, u32)> {
    if data.get(3..6)? != [0x9d, 0x01, 0x2a] {
        return None;
    }
    let sides = little_32(data, 6)?;
    Some((sides & 0x3fff, (sides >> 16) & 0x3fff))
}

fn lossless(data: &[u8]) -> Option<(u32, u32)> {
    if *data.first()? != 0x2f {
        return None;
    }
    let sides = little_32(data, 1)?;
    Some(((sides & 0x3fff) + 1, ((sides >> 14) & 0x3fff) + 1))
}

/// The size of the canvas. The pixels follow in other chunks.
fn extended(data: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| match data.get(at..at + 3)? {
        [low, middle, high] => Some(u32::from_le_bytes([*low, *middle, *high, 0]) + 1),
        _ => None,
    };
    Some((side(4)?, side(7)?))
}
