//! Export of users to a file, and import from one.

mod csv;
mod error;
mod formula;
mod jsonl;
mod row;
mod tags;
mod time;

use std::{collections::VecDeque, fmt, io, str::FromStr, sync::Arc};

use rollcall_domain::{
    Clock, Cursor, Selection, SortKey, TelegramId, TelegramUser, UserFilter, UserSort,
};
use rollcall_repository::{
    BoxError, DirectoryRepository, ImportEnd, Imported, ImportedUser, MAX_PAGE_SIZE,
    RepositoryError, TransferRepository,
};
use tokio::task::{JoinHandle, spawn_blocking};

pub use csv::csv_field;
pub use error::ImportError;

use self::tags::Tags;
use crate::{ServiceError, text::Refused};

/// How many users are read at once if there is no filter.
const PART: u32 = 4_000;
/// How many parts are read ahead while one is written. So the database reads one while the rows of
/// another are decoded.
const AHEAD: usize = 2;
/// How many users are imported at once.
const CHUNK: usize = 20_000;
/// The most rejected lines whose reasons are kept.
const MAX_REFUSED: usize = 1_000;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, with the column names in the first line. Text that a spreadsheet
    /// would interpret as a formula is prefixed with `'`.
    Csv,
    /// One JSON object per line.
    JsonLines,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Csv, Self::JsonLines];

    /// The format's name, which is also the file extension.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/jsonl; charset=utf-8",
        }
    }

    fn write(self, Page { users, tags }: &Page, text: &mut Vec<u8>) {
        match self {
            Self::Csv => csv::write(users, tags, text),
            Self::JsonLines => jsonl::write(users, tags, text),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or(UnknownFormat)
    }
}

/// The text is not the name of a [`Format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected csv or jsonl")]
pub struct UnknownFormat;

/// Exports users to a file and imports them from one. Cheap to clone.
#[derive(Clone)]
pub struct TransferService {
    directory: Arc<dyn DirectoryRepository>,
    transfer: Arc<dyn TransferRepository>,
    clock: Arc<dyn Clock>,
}

impl TransferService {
    /// Creates a service over `storage`.
    pub fn new(
        storage: impl DirectoryRepository + TransferRepository + 'static,
        clock: impl Clock + 'static,
    ) -> Self {
        let storage = Arc::new(storage);
        Self { directory: storage.clone(), transfer: storage, clock: Arc::new(clock) }
    }

    /// Exports the users that match `filter`, ordered by id. It reads nothing before the first call
    /// of [`Export::next`], and stops reading when it is dropped.
    pub fn export(&self, filter: UserFilter, format: Format) -> Export {
        let everybody = filter == UserFilter::default();
        let place = if everybody { Place::After(None) } else { Place::Page(None) };
        self.export_from(place, Selection::from(&filter), format)
    }

    /// Exports the users of a selection, like [`TransferService::export`].
    pub fn export_selection(&self, selection: Selection, format: Format) -> Export {
        self.export_from(Place::Page(None), selection, format)
    }

    /// Exports these users, if they exist, ordered by id. Each is one read, so this is meant for
    /// some hundreds of them.
    pub fn export_selected(&self, mut ids: Vec<TelegramId>, format: Format) -> Export {
        ids.sort_unstable();
        ids.dedup();
        let everyone = Selection::from(&UserFilter::default());
        self.export_from(Place::Selected(ids), everyone, format)
    }

    fn export_from(&self, place: Place, selection: Selection, format: Format) -> Export {
        Export {
            service: self.clone(),
            selection,
            format,
            beginning: match format {
                Format::Csv => csv::header(),
                Format::JsonLines => Vec::new(),
            },
            place: Some(place),
            ahead: VecDeque::new(),
        }
    }

    /// Imports the users of a file, in one transaction. Invalid lines are rejected, and the others
    /// are imported. Existing users are updated where the file is newer. Users get the tags of the
    /// file, and keep those that they have; unknown tags are created. With `dry_run`, nothing is
    /// changed, and the report shows what would change.
    ///
    /// `progress` is called from time to time with the number of imported users.
    ///
    /// # Errors
    /// If the file cannot be read, has other columns, or has more new tags than there is room for, or
    /// if the storage fails. Nothing was changed then.
    pub async fn import(
        &self,
        input: impl io::Read + Send + 'static,
        format: Format,
        dry_run: bool,
        progress: impl Fn(Imported) + Send + 'static,
    ) -> Result<ImportReport, ImportError> {
        let (chunks, incoming) = std::sync::mpsc::sync_channel(0);
        let (last, latest) = std::sync::mpsc::channel();
        let reading = spawn_blocking(move || match format {
            Format::Csv => {
                let mut reader = csv::Reader::new(input)?;
                take_in(|| reader.next(), &chunks, dry_run)
            }
            Format::JsonLines => {
                let mut reader = jsonl::Reader::new(input);
                take_in(|| reader.next(), &chunks, dry_run)
            }
        });
        let progress = Box::new(move |imported| {
            // The receiver lives until the import ends.
            let _heard = last.send(imported);
            progress(imported);
        });
        let incoming = Box::new(incoming.into_iter());
        let stored = self.transfer.import(incoming, self.clock.now(), progress).await;
        let refused = reading.await.map_err(|panic| ImportError::Unreadable(panic.into()))?;
        let imported = match stored? {
            ImportEnd::Done(imported) => imported,
            ImportEnd::Cancelled => latest.try_iter().last().unwrap_or_default(),
            ImportEnd::NoRoom { tag, line } => return Err(ImportError::NoRoom { tag, line }),
        };
        let Refusals { first, count } = refused?;
        Ok(ImportReport { imported, refused: first, refused_count: count })
    }
}

/// The result of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// The numbers of imported users.
    pub imported: Imported,
    /// The first 1,000 rejected lines.
    pub refused: Vec<Refused>,
    /// The number of rejected lines.
    pub refused_count: u64,
}

#[derive(Default)]
struct Refusals {
    first: Vec<Refused>,
    count: u64,
}

/// Sends the users in chunks, and an empty chunk at the end, which commits them. In a dry run the
/// empty chunk is left out, so that they are rolled back.
fn take_in(
    mut next: impl FnMut() -> Result<Option<Result<ImportedUser, Refused>>, ImportError>,
    chunks: &std::sync::mpsc::SyncSender<Vec<ImportedUser>>,
    dry_run: bool,
) -> Result<Refusals, ImportError> {
    let (mut refusals, mut chunk) = (Refusals::default(), Vec::new());
    // If nothing receives the chunks, the import has failed, and it returns the error.
    let send = |chunk: Vec<_>| chunks.send(chunk).is_ok();
    while let Some(given) = next()? {
        match given {
            Ok(user) => chunk.push(user),
            Err(refused) => {
                refusals.count += 1;
                if refusals.first.len() < MAX_REFUSED {
                    refusals.first.push(refused);
                }
            }
        }
        if chunk.len() == CHUNK && !send(std::mem::take(&mut chunk)) {
            return Ok(refusals);
        }
    }
    let is_sent = chunk.is_empty() || send(chunk);
    if is_sent && !dry_run {
        send(Vec::new());
    }
    Ok(refusals)
}

/// An export in progress; see [`TransferService::export`].
pub struct Export {
    service: TransferService,
    selection: Selection,
    format: Format,
    /// What is read next; `None` at the end.
    place: Option<Place>,
    ahead: VecDeque<Reading>,
    /// The beginning of the file, until it is written.
    beginning: Vec<u8>,
}

type Reading = JoinHandle<Result<Page, RepositoryError>>;

/// Some users, with their tags.
struct Page {
    users: Vec<TelegramUser>,
    tags: Tags,
}

impl Page {
    async fn of(
        users: Vec<TelegramUser>,
        transfer: &dyn TransferRepository,
    ) -> Result<Self, RepositoryError> {
        let ids: Vec<TelegramId> = users.iter().map(|user| user.telegram_id).collect();
        let tags = transfer.tags_of(&ids).await?;
        Ok(Self { users, tags })
    }
}

/// A part of the file, with some users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: Vec<u8>,
    /// The number of users in it.
    pub users: u64,
}

/// What is read next.
enum Place {
    /// After a user, without a filter.
    After(Option<TelegramId>),
    /// At a cursor in the filtered list.
    Page(Option<Cursor>),
    /// These users, in one part.
    Selected(Vec<TelegramId>),
}

/// The users with these ids, if they exist.
async fn selected(
    transfer: &dyn TransferRepository,
    ids: Vec<TelegramId>,
) -> Result<Vec<TelegramUser>, RepositoryError> {
    let mut users = Vec::new();
    for id in ids {
        let before = TelegramId::try_from(id.get() - 1).ok();
        let next = transfer.users_after(before, 1).await?;
        users.extend(next.into_iter().filter(|user| user.telegram_id == id));
    }
    Ok(users)
}

impl Export {
    /// Begins the file with a byte order mark, without which Excel takes UTF-8 for another encoding.
    #[must_use]
    pub fn with_byte_order_mark(mut self) -> Self {
        self.beginning.splice(..0, *b"\xef\xbb\xbf");
        self
    }

    /// The next part of the file; `None` at the end.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn next(&mut self) -> Result<Option<Part>, ServiceError> {
        self.read_ahead().await?;
        let Some(reading) = self.ahead.pop_front() else { return Ok(None) };
        let page = reading
            .await
            .map_err(|panic| RepositoryError::Failed(BoxError::from(panic).into()))??;
        // Read the next part while this one is written.
        self.read_ahead().await?;
        let (format, mut text) = (self.format, std::mem::take(&mut self.beginning));
        let part = spawn_blocking(move || {
            format.write(&page, &mut text);
            Part { text, users: u64::try_from(page.users.len()).unwrap_or_default() }
        });
        Ok(Some(part.await.map_err(|panic| RepositoryError::Failed(BoxError::from(panic).into()))?))
    }

    async fn read_ahead(&mut self) -> Result<(), RepositoryError> {
        while self.ahead.len() < AHEAD
            && let Some(place) = self.place.take()
        {
            let transfer = Arc::clone(&self.service.transfer);
            let reading = match place {
                Place::After(after) => {
                    let last = transfer.id_after(after, PART).await?;
                    self.place = last.map(|last| Place::After(Some(last)));
                    tokio::spawn(async move {
                        let users = transfer.users_after(after, PART).await?;
                        Page::of(users, &*transfer).await
                    })
                }
                Place::Page(cursor) => {
                    let sort = UserSort { key: SortKey::Id, descending: false };
                    let directory = &self.service.directory;
                    let slice =
                        directory.select(&self.selection, sort, cursor, MAX_PAGE_SIZE).await?;
                    self.place = slice.next.map(|next| Place::Page(Some(next)));
                    let users = slice.rows.into_iter().map(|row| row.user).collect();
                    tokio::spawn(async move { Page::of(users, &*transfer).await })
                }
                Place::Selected(ids) => tokio::spawn(async move {
                    Page::of(selected(&*transfer, ids).await?, &*transfer).await
                }),
            };
            self.ahead.push_back(reading);
        }
        Ok(())
    }
}
