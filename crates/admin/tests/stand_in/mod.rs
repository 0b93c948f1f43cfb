//! A directory that reads everybody and sorts them out in memory, until the storage has one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    Counted, Cursor, Figure, ListedUser, Note, NoteChange, ReachFilter, SearchText, SortKey,
    TelegramId, TelegramUser, UserDetail, UserFilter, UserSlice, UserSort,
};
use rollcall_repository::{
    ActivityRepository, Difference, DirectoryRepository, PageRequest, RepositoryError,
    UserRepository,
};
use rollcall_repository_diesel::DieselUserRepository;

pub(crate) struct StandIn {
    pub(crate) users: DieselUserRepository,
    pub(crate) notes: Mutex<BTreeMap<i64, Note>>,
}

fn days(user: &TelegramUser) -> Vec<(NaiveDate, u32)> {
    let (first, last) = (user.created_at.date_naive(), user.last_seen.date_naive());
    let n = user.telegram_id.get();
    let busy = |day: &NaiveDate| {
        let seed = (n * 31 + i64::from(chrono::Datelike::num_days_from_ce(day)) * 17) % 11;
        *day == first || *day == last || seed < 4
    };
    let days = first.iter_days().take_while(|day| *day <= last).filter(busy);
    days.map(|day| (day, 1 + chrono::Datelike::ordinal(&day) * 7 % 13)).collect()
}

fn key(user: &TelegramUser, key: SortKey) -> i64 {
    match key {
        SortKey::FirstSeen => user.created_at.timestamp_micros(),
        SortKey::LastSeen => user.last_seen.timestamp() / 86400,
        SortKey::ActiveDays => i64::try_from(days(user).len()).unwrap(),
        SortKey::Id => user.telegram_id.get(),
    }
}

fn meets(user: &TelegramUser, filter: &UserFilter) -> bool {
    let range = |day: NaiveDate, days: rollcall_domain::Days| {
        days.first.is_none_or(|it| day >= it) && days.last.is_none_or(|it| day <= it)
    };
    let active = u32::try_from(days(user).len()).unwrap();
    let text = SearchText::of(user).text();
    filter.language.as_deref().is_none_or(|it| user.language_code.as_deref().unwrap_or("") == it)
        && filter
            .source
            .as_deref()
            .is_none_or(|it| user.source.as_ref().map_or("", |it| it.as_str()) == it)
        && filter.reach.is_none_or(|it| match it {
            ReachFilter::Reachable => user.reach.is_reachable(),
            ReachFilter::Unreachable => !user.reach.is_reachable(),
            ReachFilter::Blocked => user.reach.obstacle == Some(rollcall_domain::Obstacle::Blocked),
        })
        && range(user.created_at.date_naive(), filter.first_seen)
        && range(user.last_seen.date_naive(), filter.last_seen)
        && filter.min_active_days.is_none_or(|it| active >= it)
        && filter.max_active_days.is_none_or(|it| active <= it)
        && filter.is_bot.is_none_or(|it| user.is_bot == it)
        && filter.search.as_ref().is_none_or(|it| {
            it.id() == Some(user.telegram_id)
                || (!it.words().is_empty() && it.words().iter().all(|word| text.contains(word)))
        })
}

#[async_trait]
impl DirectoryRepository for StandIn {
    async fn users(
        &self,
        filter: &UserFilter,
        sort: UserSort,
        cursor: Option<Cursor>,
        size: u32,
    ) -> Result<UserSlice, RepositoryError> {
        let mut all = vec![];
        for number in 1.. {
            let page = self.users.list(PageRequest::new(number, 1000).unwrap()).await?;
            if page.items.is_empty() {
                break;
            }
            all.extend(page.items.into_iter().filter(|user| meets(user, filter)));
        }
        let place = |user: &TelegramUser| (key(user, sort.key), user.telegram_id.get());
        all.sort_by_key(place);
        if sort.descending {
            all.reverse();
        }
        let (size, count) = (usize::try_from(size).unwrap(), all.len());
        let at = |cursor: Cursor| {
            let mark = (cursor.value, cursor.telegram_id);
            let before = |user: &TelegramUser| {
                if sort.descending { place(user) > mark } else { place(user) < mark }
            };
            let here = all.iter().filter(|user| before(user)).count();
            let is_it = all.get(here).is_some_and(|user| place(user) == mark);
            (here, here + usize::from(is_it))
        };
        let start = match cursor.filter(|it| it.key == sort.key) {
            None => 0,
            Some(cursor) if cursor.backwards => at(cursor).0.saturating_sub(size),
            Some(cursor) => at(cursor).1,
        };
        let end = (start + size).min(count);
        let cursor = |user: &TelegramUser, backwards| Cursor {
            key: sort.key,
            backwards,
            value: key(user, sort.key),
            telegram_id: user.telegram_id.get(),
        };
        let rows = &all[start..end];
        Ok(UserSlice {
            previous: rows.first().filter(|_| start > 0).map(|user| cursor(user, true)),
            next: rows.last().filter(|_| end < count).map(|user| cursor(user, false)),
            rows: rows
                .iter()
                .map(|user| ListedUser {
                    user: user.clone(),
                    active_days: u32::try_from(days(user).len()).unwrap(),
                })
                .collect(),
            count: Counted::Exactly(u64::try_from(count).unwrap()),
            is_partial: false,
        })
    }

    async fn user(
        &self,
        id: TelegramId,
        since: NaiveDate,
    ) -> Result<Option<UserDetail>, RepositoryError> {
        let Some(user) = self.users.find(id).await? else { return Ok(None) };
        let days = days(&user);
        Ok(Some(UserDetail {
            active_days: u32::try_from(days.len()).unwrap(),
            days: days.into_iter().filter(|(day, _)| *day >= since).collect(),
            reach_history: self.users.reach_history(id, 20).await?,
            starts: self.users.starts(id, 20).await?,
            profile_changes: vec![],
            note: self.notes.lock().unwrap().get(&id.get()).cloned(),
            user,
        }))
    }

    async fn set_note(
        &self,
        id: TelegramId,
        text: &str,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<NoteChange>, RepositoryError> {
        if self.users.find(id).await?.is_none() {
            return Ok(None);
        }
        let new = (!text.is_empty()).then(|| text.to_owned());
        let note = new.clone().map(|text| Note { text, at, by: by.to_owned() });
        let mut notes = self.notes.lock().unwrap();
        let old = notes.remove(&id.get()).map(|note| note.text);
        if let Some(note) = note {
            notes.insert(id.get(), note);
        }
        Ok(Some(NoteChange { old, new }))
    }

    async fn index_names(&self, _: u32) -> Result<usize, RepositoryError> {
        Ok(0)
    }
}

#[async_trait]
impl ActivityRepository for StandIn {
    async fn sums_by_day(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<(Figure, NaiveDate, String, i64)>, RepositoryError> {
        self.users.sums_by_day(figures, first, last).await
    }

    async fn sums_by_label(
        &self,
        figures: &[Figure],
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Vec<(Figure, String, i64)>, RepositoryError> {
        self.users.sums_by_label(figures, first, last).await
    }

    async fn totals(
        &self,
        figures: &[Figure],
        last: NaiveDate,
    ) -> Result<Vec<i64>, RepositoryError> {
        self.users.totals(figures, last).await
    }

    async fn recount(
        &self,
        mend: bool,
        progress: Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<Vec<Difference>, RepositoryError> {
        self.users.recount(mend, progress).await
    }
}
