//! Every file is read as a picture or refused, without a panic. A picture has sides that Telegram takes.
//!
//! `cargo +nightly fuzz run picture`, in `crates/domain`; on a stable toolchain
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none picture`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_domain::{MAX_PICTURE_SIDES, PictureFile, PictureShape};

fuzz_target!(|content: &[u8]| {
    let Ok(picture) = PictureFile::new(content.to_vec()) else { return };
    let PictureShape { width, height, .. } = picture.shape();
    assert!(width > 0 && height > 0 && width + height <= MAX_PICTURE_SIDES);
});
