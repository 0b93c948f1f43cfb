//! JPEG (ITU-T T.81, annex B).

use super::bytes::big_16;

/// The start of an image, and of its first segment.
pub(super) const SIGNATURE: [u8; 3] = [0xff, 0xd8, 0xff];
const SCAN: u8 = 0xda;
const END: [u8; 2] = [0xff, 0xd9];

/// The width and the height; `None` if the header is broken, or the end of the image is missing.
pub(super) fn size(content: &[u8]) -> Option<(u32, u32)> {
    let mut size = None;
    let mut at = 2;
    loop {
        if *content.get(at)? != 0xff {
            return None;
        }
        let marker = *content.get(at + 1)?;
        match marker {
            // Fill bytes before a marker.
            0xff => {
                at += 1;
                continue;
            }
            // Markers without a length.
            0x01 | 0xd0..=0xd8 => {
                at += 2;
                continue;
            }
            // The end, before any pixels.
            0xd9 => return None,
            _ => {}
        }
        let length = usize::from(big_16(content, at + 2)?);
        if length < 2 {
            return None;
        }
        if is_frame(marker) && length >= 8 {
            let height = big_16(content, at + 5)?;
            let width = big_16(content, at + 7)?;
            size = Some((u32::from(width), u32::from(height)));
        }
        at += 2 + length;
        if marker == SCAN {
            let pixels = content.get(at..)?;
            let ends = pixels.windows(END.len()).any(|pair| pair == END);
            return size.filter(|_| ends);
        }
    }
}

/// Whether a segment begins a frame: all SOF markers, which have gaps for DHT, JPG and DAC.
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}
