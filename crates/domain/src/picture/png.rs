//! PNG (W3C, "Portable Network Graphics", 5).

use super::bytes::big_32;

pub(super) const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// The length, the type and the check sum of a chunk.
const AROUND: usize = 12;

/// The width and the height; `None` if the header is broken, or a chunk or the end is missing.
pub(super) fn size(content: &[u8]) -> Option<(u32, u32)> {
    let mut size = None;
    let mut has_pixels = false;
    let mut at = SIGNATURE.len();
    loop {
        let length = usize::try_from(big_32(content, at)?).ok()?;
        let kind = content.get(at + 4..at + 8)?;
        let end = at.checked_add(AROUND)?.checked_add(length)?;
        if end > content.len() {
            return None;
        }
        match kind {
            b"IHDR" if size.is_none() && length == 13 => {
                size = Some((big_32(content, at + 8)?, big_32(content, at + 12)?));
            }
            // The header is the first chunk.
            _ if size.is_none() => return None,
            b"IDAT" => has_pixels = true,
            b"IEND" => return size.filter(|_| has_pixels),
            _ => {}
        }
        at = end;
    }
}
