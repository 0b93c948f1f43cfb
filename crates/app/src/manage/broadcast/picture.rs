//! Pictures of broadcasts: storing the one in a file.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::Context;
use rollcall_domain::{InvalidPicture, MAX_PICTURE_BYTES, PictureId};
use rollcall_service::{PictureError, PictureService};

use crate::WrongUsage;

/// Stores the picture in a file. If the broadcast is refused, the picture is deleted after a day.
pub(super) async fn store_picture(
    pictures: &PictureService,
    path: &Path,
) -> anyhow::Result<PictureId> {
    let name = path.display();
    let wrong = |error: InvalidPicture| WrongUsage(format!("--picture {name}: {error}"));
    let read = || {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut content = Vec::new();
        file.take(u64::try_from(MAX_PICTURE_BYTES).unwrap_or(u64::MAX) + 1)
            .read_to_end(&mut content)?;
        io::Result::Ok((content, bytes))
    };
    let (content, bytes) = read().with_context(|| format!("cannot read {name}"))?;
    if content.len() > MAX_PICTURE_BYTES {
        // Only the beginning was read.
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).max(content.len());
        return Err(wrong(InvalidPicture::TooLarge(bytes)).into());
    }
    match pictures.store(content).await {
        Ok(id) => Ok(id),
        Err(PictureError::Invalid(error)) => Err(wrong(error).into()),
        Err(PictureError::Service(error)) => Err(error.into()),
    }
}
