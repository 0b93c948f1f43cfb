use proptest::prelude::*;

use super::*;

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png::SIGNATURE.to_vec();
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    for (kind, data) in [(b"IHDR", header.as_slice()), (b"IDAT", b"pixels"), (b"IEND", b"")] {
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(kind);
        bytes.extend(data);
        bytes.extend([0; 4]);
    }
    bytes
}

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8];
    // A thumbnail in a segment, with an end of its own.
    bytes.extend([0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9]);
    // A table, whose marker is beside those of frames, after a fill byte.
    bytes.extend([0xff, 0xff, 0xc4, 0, 3, 0]);
    bytes.extend([0xff, 0xc2, 0, 11, 8]);
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([1, 1, 0x11, 0]);
    bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    bytes.extend(b"pixels\xff\x00\xff\xd9");
    bytes
}

fn webp(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_le_bytes();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(length(12 + data.len()));
    bytes.extend(b"WEBP");
    bytes.extend(kind);
    bytes.extend(length(data.len()));
    bytes.extend(data);
    bytes
}

fn lossy(width: u16, height: u16) -> Vec<u8> {
    let sides = [width.to_le_bytes(), height.to_le_bytes()].concat();
    webp(b"VP8 ", &[&[0, 0, 0, 0x9d, 0x01, 0x2a], sides.as_slice(), b"pixels"].concat())
}

fn lossless(width: u32, height: u32) -> Vec<u8> {
    let sides = ((width - 1) | ((height - 1) << 14)).to_le_bytes();
    webp(b"VP8L", &[&[0x2f], sides.as_slice(), b"pixels"].concat())
}

fn extended(width: u32, height: u32) -> Vec<u8> {
    let [width, height] = [width, height].map(|side| (side - 1).to_le_bytes());
    webp(b"VP8X", &[&[0; 4], &width[..3], &height[..3]].concat())
}

#[test]
fn a_picture_is_known_by_its_content() {
    for (content, kind, width, height) in [
        (jpeg(1280, 720), PictureKind::Jpeg, 1280, 720),
        (png(1280, 720), PictureKind::Png, 1280, 720),
        (lossy(640, 480), PictureKind::Webp, 640, 480),
        (lossless(640, 480), PictureKind::Webp, 640, 480),
        (extended(5000, 300), PictureKind::Webp, 5000, 300),
        (png(1, 20), PictureKind::Png, 1, 20),
        (png(9_500, 500), PictureKind::Png, 9_500, 500),
    ] {
        let picture = PictureFile::new(content.clone()).unwrap();
        assert_eq!(picture.shape(), PictureShape { kind, width, height });
        assert_eq!(picture.content(), content);
        // Cut off anywhere, it is none.
        for length in 0..content.len() {
            PictureFile::new(content[..length].to_vec()).unwrap_err();
        }
    }
}

#[test]
fn what_is_wrong_is_named_with_what_is_allowed() {
    let large = |bytes: usize| {
        let mut content = png(100, 100);
        content.resize(bytes, 0);
        content
    };
    PictureFile::new(large(MAX_PICTURE_BYTES)).unwrap();
    for (content, message) in [
        (Vec::new(), "the picture is empty; expected a JPEG, PNG or WebP"),
        (large(MAX_PICTURE_BYTES + 1), "the picture has 10.1 MiB; Telegram takes at most 10 MiB"),
        (b"GIF89a".to_vec(), "the file is no JPEG, PNG or WebP, which Telegram takes as pictures"),
        (b"<svg/>".to_vec(), "the file is no JPEG, PNG or WebP, which Telegram takes as pictures"),
        (png(100, 100)[..40].to_vec(), "the PNG is damaged or incomplete; save or copy it again"),
        (jpeg(0, 100), "the JPEG is damaged or incomplete; save or copy it again"),
        (
            png(9_000, 1_001),
            "the picture has 9,000 × 1,001 pixels; width and height together may be at most 10,000",
        ),
        (
            png(u32::MAX, 5),
            "the picture has 4,294,967,295 × 5 pixels; width and height together may be at most 10,000",
        ),
        (
            png(20, 401),
            "the picture has 20 × 401 pixels; one side may be at most 20 times as long as the other",
        ),
    ] {
        assert_eq!(PictureFile::new(content).unwrap_err().to_string(), message);
    }
    PictureFile::new(png(9_000, 1_000)).unwrap();
    PictureFile::new(png(20, 400)).unwrap();
}

#[test]
fn an_id_is_written_in_hexadecimal() {
    let id = PictureId(std::array::from_fn(|n| u8::try_from(n * 8).unwrap()));
    let text = id.to_string();
    assert!(text.starts_with("000810") && text.len() == 64, "{text}");
    assert_eq!(text.parse(), Ok(id));
    for wrong in ["", &text[1..], &format!("{text}0"), &text.to_uppercase(), &"é".repeat(32)] {
        assert_eq!(wrong.parse::<PictureId>(), Err(InvalidPictureId), "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        start in prop::sample::select(vec![
            vec![], jpeg::SIGNATURE.to_vec(), png(3, 3), jpeg(3, 3), lossy(3, 3), lossless(3, 3),
            extended(3, 3), png::SIGNATURE.to_vec(), b"RIFF\xff\xff\xff\xffWEBPVP8X".to_vec(),
        ]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        end in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut content = [start, end].concat();
        for (place, byte) in changes {
            if !content.is_empty() {
                let place = place.index(content.len());
                content[place] = byte;
            }
        }
        if let Ok(picture) = PictureFile::new(content) {
            let PictureShape { width, height, .. } = picture.shape();
            prop_assert!(width > 0 && height > 0 && width + height <= MAX_PICTURE_SIDES);
        }
    }
}
