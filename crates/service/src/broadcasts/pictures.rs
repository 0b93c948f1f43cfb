//! Pictures that were uploaded: they are stored here, and each is sent to Telegram once. All other messages
//! name the file that Telegram made of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::TimeDelta;
use rollcall_domain::{Clock, InvalidPicture, Picture, PictureFile, PictureId, TelegramUser};
use rollcall_repository::{PictureRepository, StoredPicture};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::{
    content::Message,
    messenger::{Delivery, Lane, OptOutButton, OutgoingMessage, OutgoingPicture},
};
use crate::ServiceError;

/// How long a picture is kept that no broadcast has: somebody may be writing one.
const UNUSED_KEPT: TimeDelta = TimeDelta::days(1);
/// How long the picture of a broadcast is kept after its end, for its page and for a copy of it.
const ENDED_KEPT: TimeDelta = TimeDelta::days(90);
/// How many pictures are deleted at once. Each has up to 10 MiB.
const DELETED_AT_ONCE: u32 = 2;
/// How often in succession a picture is uploaded again.
const MAX_LOSSES: u32 = 3;

/// Stores the pictures of broadcasts, and sends messages with them. Cheap to clone.
#[derive(Clone)]
pub struct PictureService {
    pictures: Arc<dyn PictureRepository>,
    clock: Arc<dyn Clock>,
    /// The files that Telegram made of pictures, as this process knows them.
    files: Arc<Mutex<BTreeMap<PictureId, File>>>,
    /// The permit to upload, because an upload takes a while and holds up to 20 MiB.
    upload: Arc<Semaphore>,
}

/// A message, and its way.
struct Post<'a> {
    lane: &'a dyn Lane,
    letter: Letter<'a>,
    stop: watch::Receiver<bool>,
}

impl Post<'_> {
    async fn send(&self, picture: Option<OutgoingPicture>) -> Delivery {
        let Letter { message, to, opt_out, broadcast } = &self.letter;
        let message = message.to(to, opt_out.clone(), picture);
        let message = OutgoingMessage { broadcast: *broadcast, ..message };
        self.lane.send(to.telegram_id, &message, self.stop.clone()).await
    }
}

/// The file that Telegram made of a picture.
#[derive(Default)]
struct File {
    /// By which name Telegram knows it; `None` if it has lost it.
    file_id: Option<String>,
    /// How many files of this picture Telegram has lost, without taking a message with one of them.
    losses: u32,
}

/// What follows for a message with a stored picture.
enum Turn<'a> {
    /// Telegram has the picture.
    Known(String),
    /// It has to be uploaded.
    Upload(SemaphorePermit<'a>),
    /// The process should stop.
    Stopped,
}

/// Why a picture was not stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PictureError {
    /// Telegram would not take it.
    #[error(transparent)]
    Invalid(#[from] InvalidPicture),
    /// The storage fails.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// A message to one user.
pub struct Letter<'a> {
    /// The message.
    pub message: &'a Message,
    /// Who gets it.
    pub to: &'a TelegramUser,
    /// The button in a last row, which opts out of the broadcast's category.
    pub opt_out: Option<OptOutButton>,
    /// The broadcast that presses of its buttons count for; `None` for a test.
    pub broadcast: Option<i64>,
}

impl PictureService {
    pub(super) fn new(pictures: Arc<dyn PictureRepository>, clock: Arc<dyn Clock>) -> Self {
        let upload = Arc::new(Semaphore::new(1));
        Self { pictures, clock, files: Arc::default(), upload }
    }

    /// Checks and stores a picture. Without a broadcast, it is deleted after a day.
    ///
    /// # Errors
    /// If Telegram would not take it, or the storage fails.
    pub async fn store(&self, content: Vec<u8>) -> Result<PictureId, PictureError> {
        let picture = PictureFile::new(content)?;
        let hashed = tokio::task::spawn_blocking(move || {
            (PictureId(Sha256::digest(picture.content()).into()), picture)
        });
        let (id, picture) = hashed.await.map_err(|_| ServiceError::Stopped)?;
        let stored = self.pictures.put_picture(id, &picture, self.clock.now()).await;
        stored.map_err(ServiceError::from)?;
        Ok(id)
    }

    /// What is known of a stored picture.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn find(&self, id: PictureId) -> Result<Option<StoredPicture>, ServiceError> {
        Ok(self.pictures.picture(id).await?)
    }

    /// The content of a stored picture.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn content(&self, id: PictureId) -> Result<Option<Vec<u8>>, ServiceError> {
        Ok(self.pictures.picture_content(id).await?)
    }

    /// Deletes pictures that no broadcast needs any more. Returns whether there may be more.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn forget_old(&self) -> Result<bool, ServiceError> {
        let now = self.clock.now();
        let (unused_since, ended_since) = (now - UNUSED_KEPT, now - ENDED_KEPT);
        let deleted = self
            .pictures
            .delete_unneeded_pictures(unused_since, ended_since, DELETED_AT_ONCE)
            .await?;
        Ok(deleted == u64::from(DELETED_AT_ONCE))
    }

    /// Whether a message has a picture that Telegram has not got from this process yet.
    pub(super) fn has_to_upload(&self, message: &Message) -> bool {
        message.picture().and_then(Picture::stored).is_some_and(|id| self.known(id).is_none())
    }

    /// Sends a message in its turn. A stored picture is uploaded if Telegram does not have it yet, or has
    /// lost it; other messages with it wait meanwhile. Once `stop` is true, a message that waits for its
    /// turn is not sent.
    pub async fn send(
        &self,
        lane: &dyn Lane,
        letter: Letter<'_>,
        stop: watch::Receiver<bool>,
    ) -> Delivery {
        let post = Post { lane, letter, stop };
        let id = match post.letter.message.picture() {
            None => return post.send(None).await,
            Some(Picture::FileId(id)) => {
                return post.send(Some(OutgoingPicture::FileId(id.clone()))).await;
            }
            Some(Picture::Stored(id)) => *id,
        };
        let sent = self.send_stored(id, &post).await;
        sent.unwrap_or_else(|error| {
            log::warn!(error:%; "a message waits for its picture");
            Delivery::NotYet
        })
    }

    async fn send_stored(&self, id: PictureId, post: &Post<'_>) -> Result<Delivery, ServiceError> {
        loop {
            let file_id = match self.turn(id, post.stop.clone()).await? {
                Turn::Known(file_id) => file_id,
                Turn::Upload(_permit) => return self.upload(id, post).await,
                Turn::Stopped => return Ok(Delivery::NotYet),
            };
            match post.send(Some(OutgoingPicture::FileId(file_id.clone()))).await {
                Delivery::LostPicture(reason) => {
                    if self.forget(id, &file_id).await? > MAX_LOSSES {
                        self.files().remove(&id);
                        return Ok(Delivery::Content(reason));
                    }
                }
                delivery @ Delivery::Sent(_) => {
                    if let Some(file) = self.files().get_mut(&id) {
                        file.losses = 0;
                    }
                    return Ok(delivery);
                }
                delivery => return Ok(delivery),
            }
        }
    }

    /// The file of a picture, or the turn to upload it.
    async fn turn(
        &self,
        id: PictureId,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Turn<'_>, ServiceError> {
        if let Some(file_id) = self.known(id) {
            return Ok(Turn::Known(file_id));
        }
        let permit = tokio::select! {
            permit = self.upload.acquire() => permit,
            _ = stop.wait_for(|stop| *stop) => return Ok(Turn::Stopped),
        };
        // The semaphore is never closed.
        let Ok(permit) = permit else { return Ok(Turn::Stopped) };
        // It may have been uploaded meanwhile, or long ago by another process.
        if let Some(file_id) = self.known(id) {
            return Ok(Turn::Known(file_id));
        }
        match self.pictures.picture(id).await?.and_then(|it| it.file_id) {
            Some(file_id) => {
                self.learn(id, &file_id);
                Ok(Turn::Known(file_id))
            }
            None => Ok(Turn::Upload(permit)),
        }
    }

    /// Sends a message with the content of its picture.
    async fn upload(&self, id: PictureId, post: &Post<'_>) -> Result<Delivery, ServiceError> {
        let content = self.pictures.picture_content(id).await?;
        let Some(Ok(file)) = content.map(PictureFile::new) else {
            return Ok(Delivery::Content("its picture is not stored any more".to_owned()));
        };
        match post.send(Some(OutgoingPicture::Upload(Arc::new(file)))).await {
            Delivery::Uploaded { message_id, file_id } => {
                self.learn(id, &file_id);
                if let Err(error) = self.pictures.set_picture_file(id, &file_id).await {
                    // After a restart, it is uploaded again.
                    log::warn!(error:%; "could not store the file of a picture");
                }
                Ok(Delivery::Sent(message_id))
            }
            Delivery::LostPicture(reason) => Ok(Delivery::Content(reason)),
            delivery => Ok(delivery),
        }
    }

    fn known(&self, id: PictureId) -> Option<String> {
        self.files().get(&id)?.file_id.clone()
    }

    fn learn(&self, id: PictureId, file_id: &str) {
        self.files().entry(id).or_default().file_id = Some(file_id.to_owned());
    }

    /// Telegram does not know a file. Returns how many of this picture it has lost since the last message
    /// with one of them was sent.
    async fn forget(&self, id: PictureId, file_id: &str) -> Result<u32, ServiceError> {
        let losses = {
            let mut files = self.files();
            let file = files.entry(id).or_default();
            if file.file_id.as_deref() == Some(file_id) {
                log::warn!("Telegram has lost the picture of a broadcast: it is uploaded again");
                file.file_id = None;
                file.losses += 1;
            }
            file.losses
        };
        self.pictures.forget_picture_file(id, file_id).await?;
        Ok(losses)
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<PictureId, File>> {
        // No code panics while holding it.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
