//! Pictures that are uploaded: what Telegram takes as a photo, recognised by its content.

mod bytes;
mod jpeg;
mod png;
mod webp;

use std::{fmt, str::FromStr};

use crate::grouped;

/// The most bytes of a picture (Bot API, `sendPhoto`).
pub const MAX_PICTURE_BYTES: usize = 10 * 1024 * 1024;
/// The most that the width and the height of a picture may be together, in pixels (Bot API, `sendPhoto`).
pub const MAX_PICTURE_SIDES: u32 = 10_000;
/// How many times as long as the shorter side the longer one may be (Bot API, `sendPhoto`).
pub const MAX_PICTURE_RATIO: u32 = 20;
/// The bytes of the hash that names a picture.
const ID_BYTES: usize = 32;

/// Which picture: the SHA-256 of its content. The same content is stored once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PictureId(pub [u8; ID_BYTES]);

impl fmt::Display for PictureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for PictureId {
    type Err = InvalidPictureId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_right = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 2 * ID_BYTES || !text.bytes().all(is_right) {
            return Err(InvalidPictureId);
        }
        let mut id = [0; ID_BYTES];
        for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = str::from_utf8(digits).map_err(|_| InvalidPictureId)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| InvalidPictureId)?;
        }
        Ok(Self(id))
    }
}

/// The text names no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the 64 digits and letters a to f that name a picture")]
pub struct InvalidPictureId;

/// How a picture is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureKind {
    /// A JPEG.
    Jpeg,
    /// A PNG.
    Png,
    /// A WebP.
    Webp,
}

impl PictureKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// The name, as it is stored; also the end of a file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// What is known of a picture by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureShape {
    /// How it is encoded.
    pub kind: PictureKind,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

/// A picture that Telegram takes as a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureFile {
    shape: PictureShape,
    content: Vec<u8>,
}

impl PictureFile {
    /// Checks a picture. Its header is read, and that its end is there, but not its pixels.
    ///
    /// # Errors
    /// If it is too large, no JPEG, PNG or WebP, incomplete, or of sizes that Telegram refuses.
    pub fn new(content: Vec<u8>) -> Result<Self, InvalidPicture> {
        if content.is_empty() {
            return Err(InvalidPicture::Empty);
        }
        if content.len() > MAX_PICTURE_BYTES {
            return Err(InvalidPicture::TooLarge(content.len()));
        }
        let (kind, read) = if content.starts_with(&jpeg::SIGNATURE) {
            (PictureKind::Jpeg, jpeg::size(&content))
        } else if content.starts_with(&png::SIGNATURE) {
            (PictureKind::Png, png::size(&content))
        } else if webp::is_one(&content) {
            (PictureKind::Webp, webp::size(&content))
        } else {
            return Err(InvalidPicture::OtherKind);
        };
        let (width, height) = read.ok_or(InvalidPicture::Incomplete(kind))?;
        let (short, long) = (width.min(height), width.max(height));
        if short == 0 {
            return Err(InvalidPicture::Incomplete(kind));
        }
        if short.saturating_add(long) > MAX_PICTURE_SIDES {
            return Err(InvalidPicture::Sides { width, height });
        }
        if long > short.saturating_mul(MAX_PICTURE_RATIO) {
            return Err(InvalidPicture::Ratio { width, height });
        }
        Ok(Self { shape: PictureShape { kind, width, height }, content })
    }

    /// Its kind and size.
    pub fn shape(&self) -> PictureShape {
        self.shape
    }

    /// Its bytes.
    pub fn content(&self) -> &[u8] {
        &self.content
    }
}

/// Why a file is no picture that Telegram takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPicture {
    /// There are no bytes.
    #[error("the picture is empty; expected a JPEG, PNG or WebP")]
    Empty,
    /// It has too many bytes.
    #[error(
        "the picture has {}; Telegram takes at most {}",
        mebibytes(*_0),
        mebibytes(MAX_PICTURE_BYTES)
    )]
    TooLarge(usize),
    /// It is of another kind.
    #[error("the file is no JPEG, PNG or WebP, which Telegram takes as pictures")]
    OtherKind,
    /// It ends too early, or its header is broken.
    #[error("the {} is damaged or incomplete; save or copy it again", _0.title())]
    Incomplete(PictureKind),
    /// It has too many pixels.
    #[error(
        "the picture has {} × {} pixels; width and height together may be at most {}",
        grouped((*width).into()),
        grouped((*height).into()),
        grouped(MAX_PICTURE_SIDES.into())
    )]
    Sides {
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
    },
    /// It is too narrow.
    #[error(
        "the picture has {} × {} pixels; one side may be at most {MAX_PICTURE_RATIO} times as long as the other",
        grouped((*width).into()),
        grouped((*height).into())
    )]
    Ratio {
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
    },
}

/// A number of bytes in MiB, rounded up to a tenth, so that a little too much does not look right.
fn mebibytes(bytes: usize) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1024 * 1024);
    match tenths % 10 {
        0 => format!("{} MiB", tenths / 10),
        tenth => format!("{}.{tenth} MiB", tenths / 10),
    }
}

#[cfg(test)]
mod tests;
