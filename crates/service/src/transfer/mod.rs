//! Taking users along in a file, and in from one.

mod csv;
mod error;
mod formula;
mod jsonl;
mod row;
mod time;

use std::{collections::VecDeque, fmt, io, str::FromStr, sync::Arc};

use rollcall_domain::{Cursor, SortKey, TelegramId, TelegramUser, UserFilter, UserSort};
use rollcall_repository::{
    BoxError, DirectoryRepository, Imported, MAX_PAGE_SIZE, RepositoryError, TransferRepository,
};
use tokio::task::{JoinHandle, spawn_blocking};

pub use csv::csv_field;
pub use error::ImportError;

use crate::{ServiceError, text::Refused};

/// How many users are read at once, where nobody is left out.
const PART: u32 = 4_000;
/// How many parts are being read while one is written: the database reads one while the answer to
/// another is taken apart.
const AHEAD: usize = 2;
/// How many users are taken in at once.
const CHUNK: usize = 20_000;
/// Of how many lines that were refused the reasons are kept.
const MAX_REFUSED: usize = 1_000;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, with the names of the columns in the first line. Text that a
    /// spreadsheet would take for a formula has a `'` in front.
    Csv,
    /// A JSON object a line.
    JsonLines,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Csv, Self::JsonLines];

    /// Its name, which is also what such a file's name ends with.
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

    fn write(self, users: &[TelegramUser], text: &mut Vec<u8>) {
        match self {
            Self::Csv => csv::write(users, text),
            Self::JsonLines => jsonl::write(users, text),
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

/// Text that is the name of no [`Format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected csv or jsonl")]
pub struct UnknownFormat;

/// Takes users along in a file, and in from one. Cheap to clone.
#[derive(Clone)]
pub struct TransferService {
    directory: Arc<dyn DirectoryRepository>,
    transfer: Arc<dyn TransferRepository>,
}

impl TransferService {
    /// A service over `storage`.
    pub fn new(storage: impl DirectoryRepository + TransferRepository + 'static) -> Self {
        let storage = Arc::new(storage);
        Self { directory: storage.clone(), transfer: storage }
    }

    /// The users who meet `filter`, in the order of their ids, as a file of this format. Nothing is
    /// read before it is asked for, and nothing more once it is dropped.
    pub fn export(&self, filter: UserFilter, format: Format) -> Export {
        let everybody = filter == UserFilter::default();
        let place = if everybody { Place::After(None) } else { Place::Page(None) };
        Export {
            service: self.clone(),
            filter,
            format,
            beginning: match format {
                Format::Csv => csv::header(),
                Format::JsonLines => Vec::new(),
            },
            place: Some(place),
            ahead: VecDeque::new(),
        }
    }

    /// Takes the users of a file in, all of them or none; lines that make no user are refused, and
    /// the others are taken in. Whoever is there already is updated where the file knows something
    /// newer. With `dry_run` nothing is changed, and told what would be.
    ///
    /// `progress` is told now and then how many users were taken in.
    ///
    /// # Errors
    /// When the file cannot be read, has other columns, or the storage fails. Nothing was changed
    /// then.
    pub async fn import(
        &self,
        input: impl io::Read + Send + 'static,
        format: Format,
        dry_run: bool,
        progress: impl Fn(Imported) + Send + 'static,
    ) -> Result<ImportReport, ImportError> {
        let (chunks, incoming) = std::sync::mpsc::sync_channel(0);
        let (last, told) = std::sync::mpsc::channel();
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
            // Whoever listens waits for the end.
            let _heard = last.send(imported);
            progress(imported);
        });
        let stored = self.transfer.import(Box::new(incoming.into_iter()), progress).await;
        let refused = reading.await.map_err(|panic| ImportError::Unreadable(panic.into()))?;
        let imported = match stored? {
            Some(imported) => imported,
            None => told.try_iter().last().unwrap_or_default(),
        };
        let Refusals { first, count } = refused?;
        Ok(ImportReport { imported, refused: first, refused_count: count })
    }
}

/// What taking a file in has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// How many users were taken in.
    pub imported: Imported,
    /// The first 1,000 of the lines that were refused.
    pub refused: Vec<Refused>,
    /// How many lines were refused.
    pub refused_count: u64,
}

#[derive(Default)]
struct Refusals {
    first: Vec<Refused>,
    count: u64,
}

/// Sends the users on, and an empty part as the end of them, unless it is only a rehearsal: then
/// they are given up at the end.
fn take_in(
    mut next: impl FnMut() -> Result<Option<Result<TelegramUser, Refused>>, ImportError>,
    chunks: &std::sync::mpsc::SyncSender<Vec<TelegramUser>>,
    dry_run: bool,
) -> Result<Refusals, ImportError> {
    let (mut refusals, mut chunk) = (Refusals::default(), Vec::new());
    // Who takes them has failed, where they are no longer taken, and says why.
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

/// A file that is being written; see [`TransferService::export`].
pub struct Export {
    service: TransferService,
    filter: UserFilter,
    format: Format,
    /// Where those are who are not being read yet.
    place: Option<Place>,
    ahead: VecDeque<Reading>,
    /// What the file begins with, until it is written.
    beginning: Vec<u8>,
}

type Reading = JoinHandle<Result<Vec<TelegramUser>, RepositoryError>>;

/// Some users, as a part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: Vec<u8>,
    /// How many users it tells of.
    pub users: u64,
}

/// Where to go on.
#[derive(Clone, Copy)]
enum Place {
    /// After a user, with everybody.
    After(Option<TelegramId>),
    /// At a place in the list of those who meet the filter.
    Page(Option<Cursor>),
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
    /// When the storage fails.
    pub async fn next(&mut self) -> Result<Option<Part>, ServiceError> {
        self.read_ahead().await?;
        let Some(reading) = self.ahead.pop_front() else { return Ok(None) };
        let users = reading
            .await
            .map_err(|panic| RepositoryError::Failed(BoxError::from(panic).into()))??;
        // What comes next is read while this is written.
        self.read_ahead().await?;
        let (format, mut text) = (self.format, std::mem::take(&mut self.beginning));
        let part = spawn_blocking(move || {
            format.write(&users, &mut text);
            Part { text, users: u64::try_from(users.len()).unwrap_or_default() }
        });
        Ok(Some(part.await.map_err(|panic| RepositoryError::Failed(BoxError::from(panic).into()))?))
    }

    async fn read_ahead(&mut self) -> Result<(), RepositoryError> {
        while self.ahead.len() < AHEAD
            && let Some(place) = self.place.take()
        {
            let reading = match place {
                Place::After(after) => {
                    let transfer = Arc::clone(&self.service.transfer);
                    let last = transfer.id_after(after, PART).await?;
                    self.place = last.map(|last| Place::After(Some(last)));
                    tokio::spawn(async move { transfer.users_after(after, PART).await })
                }
                Place::Page(cursor) => {
                    let sort = UserSort { key: SortKey::Id, descending: false };
                    let directory = &self.service.directory;
                    let slice = directory.users(&self.filter, sort, cursor, MAX_PAGE_SIZE).await?;
                    self.place = slice.next.map(|next| Place::Page(Some(next)));
                    tokio::spawn(async { Ok(slice.rows.into_iter().map(|row| row.user).collect()) })
                }
            };
            self.ahead.push_back(reading);
        }
        Ok(())
    }
}
