use std::{cell::Cell, num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    dsl::{count_star, sql},
    prelude::*,
    sql_types::{Bool, Text},
};
use rollcall_domain::{
    Figure, LabelledSource, ReachabilityChange, Registration, StartPayload, TelegramId,
    TelegramUser, UnreachableReason, Username,
};
use rollcall_repository::{
    ActivityRepository, Allowed, Batch, DemoRepository, Difference, History, Imported, Incoming,
    Page, PageRequest, RepositoryError, SourceRepository, TransferRepository, UserRepository,
};

use crate::{
    Database, DatabaseUrl, activity, admin,
    connection::AnyConnection,
    demo, directory,
    error::Failure,
    preferences, reach, recount,
    registration::{self, Attempt},
    row::UserRow,
    schema::telegram_users::dsl::{created_at, source_label, telegram_id, telegram_users},
    schema::{active_days, quarantine, reach_history, recent_updates, starts},
    sources,
    timestamp::UtcMicros,
    transfer,
};

/// The store of users, in the table `telegram_users`.
#[derive(Clone, Debug)]
pub struct DieselUserRepository {
    pub(crate) database: Database,
}

impl DieselUserRepository {
    /// The repository in `database`, which must be migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl UserRepository for DieselUserRepository {
    fn register(
        &self,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> Result<Vec<Registration>, RepositoryError> {
        let attempt = Cell::new(Attempt::First);
        self.database.register_blocking(|connection| {
            let attempt = attempt.replace(Attempt::Again);
            registration::register(connection, batch, now, attempt, self.database.sessions())
        })
    }

    async fn rehearse(&self, now: DateTime<Utc>) -> Result<(), RepositoryError> {
        self.database
            .write("rehearse a registration", move |connection| {
                registration::rehearse(connection, now)
            })
            .await
    }

    /// PostgreSQL works on one batch while another is prepared or answered; SQLite has one writer.
    fn writers(&self) -> NonZeroUsize {
        match self.database.url() {
            DatabaseUrl::Sqlite { .. } => NonZeroUsize::MIN,
            DatabaseUrl::Postgres { .. } => NonZeroUsize::MIN.saturating_add(1),
        }
    }

    async fn forget(
        &self,
        recorded_before: DateTime<Utc>,
        received_before: DateTime<Utc>,
        limit: u32,
    ) -> Result<usize, RepositoryError> {
        self.database
            .write("forget old updates", move |connection| {
                let updates = forget_updates(connection, recorded_before.into(), limit.into())?;
                Ok(updates + forget_quarantined(connection, received_before.into(), limit.into())?)
            })
            .await
    }

    async fn find(&self, id: TelegramId) -> Result<Option<TelegramUser>, RepositoryError> {
        self.database
            .read("find a user", move |connection| {
                let row = telegram_users
                    .find(id.get())
                    .select(UserRow::as_select())
                    .first(connection)
                    .optional()?;
                row.map(UserRow::into_user).transpose()
            })
            .await
    }

    async fn find_by_username(
        &self,
        username: &Username,
    ) -> Result<Option<TelegramUser>, RepositoryError> {
        let key = username.key();
        self.database
            .read("find a user by username", move |connection| {
                let key_is = match connection {
                    AnyConnection::Sqlite(_) => "lower(username) = ",
                    AnyConnection::Postgres(_) => "lower(username COLLATE \"C\") = ",
                };
                let row = telegram_users
                    .filter(sql::<Bool>(key_is).bind::<Text, _>(&key))
                    .select(UserRow::as_select())
                    .first(connection)
                    .optional()?;
                row.map(UserRow::into_user).transpose()
            })
            .await
    }

    async fn list(&self, request: PageRequest) -> Result<Page<TelegramUser>, RepositoryError> {
        self.database.read("list users", move |connection| list(connection, request)).await
    }

    async fn mark_unreachable(
        &self,
        id: TelegramId,
        obstacle: UnreachableReason,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, RepositoryError> {
        self.database
            .write("mark a user as out of reach", move |connection| {
                reach::mark_unreachable(connection, id, obstacle, at, now)
            })
            .await
    }

    async fn reach_history(
        &self,
        id: TelegramId,
        limit: u32,
    ) -> Result<Vec<ReachabilityChange>, RepositoryError> {
        self.database
            .read("read a user's reach", move |connection| reach::history(connection, id, limit))
            .await
    }

    async fn starts(
        &self,
        id: TelegramId,
        limit: u32,
    ) -> Result<Vec<(DateTime<Utc>, StartPayload)>, RepositoryError> {
        self.database
            .read("read a user's deep links", move |connection| {
                reach::starts(connection, id, limit)
            })
            .await
    }

    async fn delete(&self, ids: &[TelegramId]) -> Result<usize, RepositoryError> {
        let mut ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
        // In the order in which registration locks rows.
        ids.sort_unstable();
        self.database
            .write("delete users", move |connection| {
                connection.transaction(|connection| delete(connection, &ids))
            })
            .await
    }
}

#[async_trait]
impl TransferRepository for DieselUserRepository {
    async fn users_after(
        &self,
        after: Option<TelegramId>,
        limit: u32,
    ) -> Result<Vec<TelegramUser>, RepositoryError> {
        self.database
            .read("read users", move |connection| transfer::users_after(connection, after, limit))
            .await
    }

    async fn id_after(
        &self,
        after: Option<TelegramId>,
        place: u32,
    ) -> Result<Option<TelegramId>, RepositoryError> {
        self.database
            .read("find a user's place", move |connection| {
                transfer::id_after(connection, after, place)
            })
            .await
    }

    async fn import(
        &self,
        incoming: Incoming,
        progress: Box<dyn Fn(Imported) + Send>,
    ) -> Result<Option<Imported>, RepositoryError> {
        self.database
            .run_once(move |connection| transfer::import(connection, incoming, &progress))
            .await
    }
}

#[async_trait]
impl ActivityRepository for DieselUserRepository {
    async fn sums_by_day(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<(Figure, NaiveDate, String, i64)>, RepositoryError> {
        let figures = figures.to_vec();
        self.database
            .read("read sums by day", move |connection| {
                activity::sums_by_day(connection, &figures, first, last)
            })
            .await
    }

    async fn sums_by_label(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<(Figure, String, i64)>, RepositoryError> {
        let figures = figures.to_vec();
        self.database
            .read("read sums by label", move |connection| {
                activity::sums_by_label(connection, &figures, first, last)
            })
            .await
    }

    async fn totals(
        &self,
        figures: &[Figure],
        last: NaiveDate,
    ) -> Result<Vec<i64>, RepositoryError> {
        let figures = figures.to_vec();
        self.database
            .read("read totals", move |connection| activity::totals(connection, &figures, last))
            .await
    }

    async fn recount(
        &self,
        mend: bool,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<Vec<Difference>, RepositoryError> {
        self.database
            .run_long(move |connection| recount::recount(connection, mend, &*progress))
            .await
    }
}

#[async_trait]
impl SourceRepository for DieselUserRepository {
    async fn labelled_sources(
        &self,
        request: PageRequest,
    ) -> Result<Page<LabelledSource>, RepositoryError> {
        self.database
            .read("list labels of deep links", move |connection| sources::list(connection, request))
            .await
    }

    async fn allow_sources(
        &self,
        payloads: &[StartPayload],
        at: DateTime<Utc>,
    ) -> Result<Allowed, RepositoryError> {
        let payloads = payloads.to_vec();
        self.database
            .write("allow deep links", move |connection| sources::allow(connection, &payloads, at))
            .await
    }

    async fn drop_sources(
        &self,
        payloads: &[StartPayload],
        at: DateTime<Utc>,
    ) -> Result<Vec<StartPayload>, RepositoryError> {
        let payloads = payloads.to_vec();
        self.database
            .write("drop labels of deep links", move |connection| {
                sources::drop(connection, &payloads, at)
            })
            .await
    }

    async fn drop_sources_without_users(
        &self,
        at: DateTime<Utc>,
    ) -> Result<Vec<StartPayload>, RepositoryError> {
        self.database
            .write("drop labels without users", move |connection| {
                sources::drop_without_users(connection, at)
            })
            .await
    }
}

#[async_trait]
impl DemoRepository for DieselUserRepository {
    async fn begin_demo(&self) -> Result<bool, RepositoryError> {
        self.database.run_long(demo::begin).await
    }

    async fn load(&self, people: Arc<[History]>) -> Result<(), RepositoryError> {
        self.database.run_long(move |connection| demo::load(connection, &people)).await
    }

    async fn count_uses(
        &self,
        uses: &[(Figure, NaiveDate, &'static str, i64)],
    ) -> Result<(), RepositoryError> {
        let uses = uses.to_vec();
        self.database.run_long(move |connection| demo::count_uses(connection, &uses)).await
    }
}

/// A page, and the length of the whole list.
fn list(
    connection: &mut AnyConnection,
    request: PageRequest,
) -> Result<Page<TelegramUser>, Failure> {
    let total: i64 = telegram_users.select(count_star()).get_result(connection)?;
    // The keys first: they are all in the index, so that what stands before a late page is
    // counted there and its rows are not read.
    let page = diesel::alias!(crate::schema::telegram_users as page_of_users);
    let keys = page
        .select(page.field(telegram_id))
        .order((page.field(created_at).desc(), page.field(telegram_id).desc()))
        .limit(request.size().into())
        .offset(request.offset().try_into().unwrap_or(i64::MAX));
    let rows: Vec<UserRow> = telegram_users
        .filter(telegram_id.eq_any(keys))
        .order((created_at.desc(), telegram_id.desc()))
        .select(UserRow::as_select())
        .load(connection)?;
    let items = rows.into_iter().map(UserRow::into_user).collect::<Result<_, _>>()?;
    Ok(Page { items, total: count(total), request })
}

fn delete(connection: &mut AnyConnection, ids: &[i64]) -> Result<usize, Failure> {
    let share = activity::share_of(connection, ids)?;
    let labels: Vec<i32> = telegram_users
        .filter(telegram_id.eq_any(ids))
        .filter(source_label.is_not_null())
        .select(source_label.assume_not_null())
        .distinct()
        .load(connection)?;
    let mut deleted = 0;
    for id in ids {
        deleted += diesel::delete(telegram_users.find(id)).execute(connection)?;
        diesel::delete(active_days::table.filter(active_days::telegram_id.eq(id)))
            .execute(connection)?;
        diesel::delete(reach_history::table.filter(reach_history::telegram_id.eq(id)))
            .execute(connection)?;
        diesel::delete(starts::table.filter(starts::telegram_id.eq(id))).execute(connection)?;
        preferences::delete(connection, *id)?;
        diesel::delete(quarantine::table.filter(quarantine::telegram_id.eq(id)))
            .execute(connection)?;
        directory::erase(connection, *id)?;
    }
    sources::give_up(connection, &labels)?;
    activity::erase(connection, share)?;
    admin::empty_entries(connection, ids)?;
    Ok(deleted)
}

fn forget_updates(
    connection: &mut AnyConnection,
    before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let old: Vec<i64> = recent_updates::table
        .select(recent_updates::block)
        .filter(recent_updates::recorded_at.lt(before))
        .order(recent_updates::block)
        .limit(limit)
        .load(connection)?;
    // Looked at again: somebody may have recorded another update of a block meanwhile.
    let old = recent_updates::table
        .filter(recent_updates::block.eq_any(old))
        .filter(recent_updates::recorded_at.lt(before));
    diesel::delete(old).execute(connection)
}

fn forget_quarantined(
    connection: &mut AnyConnection,
    before: UtcMicros,
    limit: i64,
) -> QueryResult<usize> {
    let oldest: Vec<i64> = quarantine::table
        .select(quarantine::update_id)
        .filter(quarantine::received_at.lt(before))
        .order(quarantine::received_at)
        .limit(limit)
        .load(connection)?;
    diesel::delete(quarantine::table.filter(quarantine::update_id.eq_any(oldest)))
        .execute(connection)
}

/// A count as the databases answer it, which is never negative.
pub(crate) fn count(rows: i64) -> u64 {
    rows.try_into().unwrap_or_default()
}
