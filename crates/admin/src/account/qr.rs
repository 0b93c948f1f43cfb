//! QR codes, drawn by the server.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// A QR code for an SVG. It is always dark on light, because some readers need that.
pub(crate) struct Qr {
    /// The side in modules, including the quiet zone of four modules that readers need.
    pub(crate) side: usize,
    /// The dark modules as path data.
    pub(crate) path: String,
}

const QUIET: usize = 4;

impl Qr {
    /// The code for a text; `None` if the text is too long.
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
    fn the_corners_have_finder_patterns() {
        let qr = Qr::new("otpauth://totp/x").unwrap();
        assert_eq!(qr.side, 25 + 2 * QUIET);
        // The outer squares at the top, and the inner one of the first.
        for module in ["M4 4h7v1h-7z", "M22 4h7v1h-7z", "M6 6h3v1h-3z", "M4 22h7v1h-7z"] {
            assert!(qr.path.contains(module), "{module}: {}", qr.path);
        }
        assert!(Qr::new(&"x".repeat(3000)).is_none());
    }
}
