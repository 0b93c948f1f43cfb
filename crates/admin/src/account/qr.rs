//! QR codes, drawn by the server.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// A QR code as it stands in an SVG: dark on light whatever the page's colours are, as some readers
/// want it.
pub(crate) struct Qr {
    /// The side, in modules, with the quiet zone of four modules around it that readers need.
    pub(crate) side: usize,
    /// The dark modules, as the data of a path.
    pub(crate) path: String,
}

const QUIET: usize = 4;

impl Qr {
    /// The code of a text; `None` where it is too long for one.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (row, modules) in code.to_colors().chunks(width).enumerate() {
            let mut column = 0;
            for run in modules.chunk_by(|a, b| a == b) {
                if run.first() == Some(&Color::Dark) {
                    let (x, y, length) = (column + QUIET, row + QUIET, run.len());
                    // Writing to a string cannot fail.
                    let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
                }
                column += run.len();
            }
        }
        Some(Self { side: width + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corners_are_where_a_reader_looks_for_them() {
        let qr = Qr::new("otpauth://totp/x").unwrap();
        assert_eq!(qr.side, 25 + 2 * QUIET);
        // The outer squares at the top, and the inner one of the first.
        for module in ["M4 4h7v1h-7z", "M22 4h7v1h-7z", "M6 6h3v1h-3z", "M4 22h7v1h-7z"] {
            assert!(qr.path.contains(module), "{module}: {}", qr.path);
        }
        assert!(Qr::new(&"x".repeat(3000)).is_none());
    }
}
