use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{PictureFile, PictureId, PictureShape, grouped};

use crate::error::RepositoryError;

/// The pictures that were uploaded for broadcasts.
#[async_trait]
pub trait PictureRepository: Send + Sync {
    /// Stores a picture, whose content has this hash, `at` a time. If it is stored already, only the time
    /// changes.
    async fn put_picture(
        &self,
        id: PictureId,
        picture: &PictureFile,
        at: DateTime<Utc>,
    ) -> Result<(), RepositoryError>;

    /// What is known of a picture, without its content.
    async fn picture(&self, id: PictureId) -> Result<Option<StoredPicture>, RepositoryError>;

    /// The content of a picture.
    async fn picture_content(&self, id: PictureId) -> Result<Option<Vec<u8>>, RepositoryError>;

    /// Stores the `file_id` by which Telegram knows a picture.
    async fn set_picture_file(&self, id: PictureId, file_id: &str) -> Result<(), RepositoryError>;

    /// Forgets that Telegram knows a picture by this `file_id`; another one stays.
    async fn forget_picture_file(
        &self,
        id: PictureId,
        file_id: &str,
    ) -> Result<(), RepositoryError>;

    /// Deletes up to `limit` pictures that were stored before `unused_since`, and that no broadcast has but
    /// ones that ended before `ended_since`. Returns how many.
    async fn delete_unneeded_pictures(
        &self,
        unused_since: DateTime<Utc>,
        ended_since: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, RepositoryError>;
}

/// What is known of a stored picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPicture {
    /// Which one it is.
    pub id: PictureId,
    /// Its kind and size.
    pub shape: PictureShape,
    /// The length of its content.
    pub bytes: u64,
    /// The `file_id` by which Telegram knows it; `None` until the bot has sent it.
    pub file_id: Option<String>,
}

impl fmt::Display for StoredPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PictureShape { kind, width, height } = self.shape;
        let (width, height) = (grouped(width.into()), grouped(height.into()));
        let kibibytes = grouped(self.bytes.div_ceil(1024));
        write!(f, "{}, {width} × {height} pixels, {kibibytes} KiB", kind.title())
    }
}
