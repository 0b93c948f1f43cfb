use std::sync::Arc;

use chrono_tz::UTC;
use rollcall_domain::{Cursor, Filter, Selection, SortKey, TelegramUser, UserFilter, UserSort};

use crate::{error::Error, inner::Inner};

/// By id, so that each user comes once, also if they interact between two pages.
const BY_ID: UserSort = UserSort { key: SortKey::Id, descending: false };
const PAGE_SIZE: u32 = 100;

/// The users of a filter, page by page, in the order of their ids. At most one page is in memory.
///
/// ```no_run
/// # async fn list(rollcall: rollcall::Rollcall) -> Result<(), rollcall::Error> {
/// let mut users = rollcall.users("lang:de seen<14d")?;
/// while let Some(page) = users.next_page().await? {
///     for user in page {
///         println!("{user}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Users {
    inner: Arc<Inner>,
    filter: Filter,
    page_size: u32,
    /// The filter as of the first page, from which on ages are counted back.
    selection: Option<Selection>,
    place: Place,
}

/// Where the next page is.
enum Place {
    First,
    After(Cursor),
    End,
}

impl Users {
    pub(crate) fn new(inner: Arc<Inner>, filter: &str) -> Result<Self, Error> {
        let all = Filter::from(&UserFilter::new());
        let filter = match filter.trim() {
            "" => all,
            text => all.and(text.parse().map_err(|error| Error::InvalidFilter(Box::new(error)))?),
        };
        Ok(Self { inner, filter, page_size: PAGE_SIZE, selection: None, place: Place::First })
    }

    /// The most users of a page, from 1 to 1,000; the default is 100.
    #[must_use]
    pub fn page_size(mut self, users: u32) -> Self {
        self.page_size = users;
        self
    }

    /// The next page, which is never empty; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::InvalidFilter`] if the filter names a segment, tag, group or broadcast that does not
    /// exist; [`Error::Storage`] if the database failed. Then the same page can be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Vec<TelegramUser>>, Error> {
        self.inner.check_open()?;
        if self.selection.is_none() {
            self.selection = Some(self.inner.audience.selection(&self.filter, UTC).await?);
        }
        let Some(selection) = &self.selection else { return Ok(None) };
        loop {
            let cursor = match self.place {
                Place::First => None,
                Place::After(cursor) => Some(cursor),
                Place::End => return Ok(None),
            };
            let users = &self.inner.audience;
            let slice = users.users(selection, BY_ID, cursor, self.page_size).await?;
            self.place = slice.next.map_or(Place::End, Place::After);
            if !slice.rows.is_empty() {
                return Ok(Some(slice.rows.into_iter().map(|row| row.user).collect()));
            }
        }
    }
}
