//! Importing users.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{Connection, prelude::*, result::Error::RollbackTransaction};
use rollcall_domain::{
    ActiveDay, Facts, Hour, LabelName, ProfileField, ReachabilityChange, SourceLabel, Sums,
    TelegramUser,
};
use rollcall_repository::{History, ImportEnd, Imported, ImportedUser, Incoming};

use super::{
    bulk::{LabelledHistory, store_users},
    indexes,
    tags::Tags,
    usernames::{self, Loser},
};
use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{active_days, reach_history, starts, telegram_users},
        suppression_key::KeySource,
        timestamp::UtcMicros,
        transaction::Transaction,
    },
    directory::search::index::{Names, add_new},
    registration::names::{self, ChangeKey, OldAndNew, ProfileChanges},
    row::{columns::UserRow, hour::active_day, user::origin},
    sources::change::label_all,
    statistics::{
        add::add_sums,
        facts::{ReachRow, StartRow},
        uncounted::uncounted,
    },
    suppression::hashes::suppressed,
    users::lock::lock_database,
};

/// See [`TransferRepository::import`](rollcall_repository::TransferRepository::import).
pub(super) fn import(
    connection: &mut AnyConnection,
    incoming: Incoming,
    at: DateTime<Utc>,
    key: &KeySource,
    progress: &dyn Fn(Imported),
) -> Result<ImportEnd, Failure> {
    let mut undone = ImportEnd::Cancelled;
    let imported = connection.transaction(|connection| {
        lock_database(connection)?;
        let indexes = indexes::Deferred::begin(connection)?;
        let (mut tags, mut imported) = (Tags::new(at), Imported::default());
        for users in incoming {
            if users.is_empty() {
                indexes.build(connection)?;
                return Ok(imported);
            }
            if let Some(end) = tags.create(connection, &users)? {
                undone = end;
                break;
            }
            let users = without_suppressed(connection, users, key, &mut imported)?;
            take_in(connection, users, &tags, &mut imported)?;
            progress(imported);
        }
        Err(Failure::Diesel(RollbackTransaction))
    });
    match imported {
        Err(Failure::Diesel(RollbackTransaction)) => Ok(undone),
        imported => imported.map(ImportEnd::Done),
    }
}

/// A user that is created or updated.
struct Change {
    user: TelegramUser,
    /// The number of the label that the user's source counts under from now on.
    source_label: Option<i32>,
    /// What was known of an existing user.
    before: Option<Before>,
}

/// An existing user before the import.
struct Before {
    user: TelegramUser,
    past: Past,
}

/// The users without those who were erased and have not agreed to be stored again.
fn without_suppressed(
    connection: &mut AnyConnection,
    mut users: Vec<ImportedUser>,
    key: &KeySource,
    imported: &mut Imported,
) -> Result<Vec<ImportedUser>, Failure> {
    let ids: BTreeSet<i64> = users.iter().map(|it| it.user.telegram_id.get()).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let suppressed = suppressed(&mut Transaction::from(connection), key, &ids)?;
    users.retain(|it| !suppressed.contains(&it.user.telegram_id.get()));
    imported.suppressed += u64::try_from(suppressed.len()).unwrap_or_default();
    Ok(users)
}

fn take_in(
    connection: &mut AnyConnection,
    users: Vec<ImportedUser>,
    tags: &Tags,
    imported: &mut Imported,
) -> Result<(), Failure> {
    let mut given: BTreeMap<i64, TelegramUser> = BTreeMap::new();
    let mut wanted: BTreeMap<LabelName, BTreeSet<i64>> = BTreeMap::new();
    for ImportedUser { user, tags, .. } in users {
        let id = user.telegram_id.get();
        for tag in tags {
            wanted.entry(tag).or_default().insert(id);
        }
        let Some(first) = given.get_mut(&id) else {
            given.insert(id, user);
            continue;
        };
        // Another line about the same user.
        let before = first.clone();
        first.merge(user);
        let count = if *first == before { &mut imported.unchanged } else { &mut imported.updated };
        *count += 1;
    }
    let mut changes = changes(connection, given, imported)?;
    let mut users: Vec<_> = changes.iter_mut().map(|change| &mut change.user).collect();
    let losers = usernames::settle(&mut Transaction::from(&mut *connection), &mut users)?;
    label_sources(connection, &mut changes)?;
    write(connection, &changes, losers)?;

    let wanted = wanted.into_iter().map(|(tag, ids)| (tag, ids.into_iter().collect()));
    let tagged = tags.add(connection, wanted.collect())?;
    imported.tagged += tagged.number;
    let changed: BTreeSet<i64> = changes.iter().map(|it| it.user.telegram_id.get()).collect();
    let only_tagged = tagged.users.difference(&changed).count();
    let only_tagged = u64::try_from(only_tagged).unwrap_or_default();
    imported.unchanged = imported.unchanged.saturating_sub(only_tagged);
    imported.updated += only_tagged;
    Ok(())
}

/// The users that are created or updated, sorted by id.
fn changes(
    connection: &mut AnyConnection,
    given: BTreeMap<i64, TelegramUser>,
    imported: &mut Imported,
) -> Result<Vec<Change>, Failure> {
    let ids: Vec<i64> = given.keys().copied().collect();
    let rows: Vec<UserRow> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(&ids))
        .select(UserRow::as_select())
        .load(connection)?;
    let mut stored = HashMap::new();
    for row in rows {
        stored.insert(row.telegram_id, row.into_user()?);
    }
    let (mut changes, mut updated) = (Vec::new(), Vec::new());
    for (id, user) in given {
        let Some(before) = stored.remove(&id) else {
            imported.created += 1;
            changes.push(Change { user, source_label: None, before: None });
            continue;
        };
        let mut merged = before.clone();
        merged.merge(user);
        if merged == before {
            imported.unchanged += 1;
        } else {
            imported.updated += 1;
            updated.push(id);
            let before = Some(Before { user: before, past: Past::default() });
            changes.push(Change { user: merged, source_label: None, before });
        }
    }
    let mut pasts = pasts(connection, &updated)?;
    for Change { before, .. } in &mut changes {
        if let Some(Before { user, past }) = before {
            *past = pasts.remove(&user.telegram_id.get()).unwrap_or_default();
        }
    }
    Ok(changes)
}

/// What else is known about a user.
#[derive(Default)]
struct Past {
    /// The days of activity, the latest one included, with their first hours and interactions.
    days: BTreeMap<NaiveDate, (Option<Hour>, u32)>,
    reach_changes: Vec<ReachabilityChange>,
    starts: Vec<(DateTime<Utc>, SourceLabel)>,
    /// The number of the label that the user's source counts under.
    source_label: Option<i32>,
}

fn pasts(connection: &mut AnyConnection, ids: &[i64]) -> Result<HashMap<i64, Past>, Failure> {
    let mut pasts: HashMap<i64, Past> = HashMap::new();
    let count = |interactions: i32| interactions.try_into().unwrap_or_default();
    let rows: Vec<LatestRow> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(ids))
        .select(LatestRow::as_select())
        .load(connection)?;
    for row in rows {
        let past = pasts.entry(row.telegram_id).or_default();
        let ActiveDay { day, first_hour } = active_day(row.active_day, row.first_hour);
        past.days.insert(day, (first_hour, count(row.day_interactions)));
        past.source_label = row.source_label;
    }
    let days: Vec<DayRow> = active_days::table
        .filter(active_days::telegram_id.eq_any(ids))
        .select(DayRow::as_select())
        .load(connection)?;
    for row in days {
        let past = pasts.entry(row.telegram_id).or_default();
        let ActiveDay { day, first_hour } = active_day(row.day, row.first_hour);
        past.days.insert(day, (first_hour, count(row.interactions)));
    }
    let changes: Vec<ReachRow> = reach_history::table
        .filter(reach_history::telegram_id.eq_any(ids))
        .order((reach_history::telegram_id, reach_history::at))
        .select(ReachRow::as_select())
        .load(connection)?;
    for row in changes {
        pasts.entry(row.telegram_id).or_default().reach_changes.push(row.into_change()?);
    }
    let started: Vec<StartRow> = starts::table
        .filter(starts::telegram_id.eq_any(ids))
        .order((starts::telegram_id, starts::at))
        .select(StartRow::as_select())
        .load(connection)?;
    for row in started {
        pasts.entry(row.telegram_id).or_default().starts.push(row.counted());
    }
    Ok(pasts)
}

/// Sets the labels that sources count under. Users that are created, or came by another link than was
/// known, count under the label that the link has or gets now; the others as before.
fn label_sources(connection: &mut AnyConnection, changes: &mut [Change]) -> QueryResult<()> {
    let is_known = |change: &Change| {
        change.before.as_ref().is_some_and(|before| before.user.source == change.user.source)
    };
    let new = changes.iter().filter(|change| !is_known(change)).map(|change| &change.user);
    let labels = label_all(connection, new)?;
    for change in changes {
        change.source_label = match &change.before {
            Some(Before { past, .. }) if is_known(change) => past.source_label,
            _ => change.user.source.as_ref().and_then(|it| labels.get(it.as_str()).copied()),
        };
    }
    Ok(())
}

fn write(
    connection: &mut AnyConnection,
    changes: &[Change],
    losers: Vec<Loser>,
) -> Result<(), Failure> {
    let histories: Vec<History> = changes.iter().map(Change::history).collect();
    let uncounted = uncounted(connection)?;
    // Counting takes about as long as writing.
    let (sums, names) = std::thread::scope(|scope| {
        let created = changes.iter().filter(|change| change.before.is_none());
        let counted = scope.spawn(|| {
            (
                sums_of(changes, &histories, &uncounted),
                Names::of(created.map(|change| &change.user)),
            )
        });
        write_users(connection, changes, &histories, losers)?;
        let counted = counted.join();
        Ok::<_, Failure>(counted.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    add_new(connection, names)?;
    Ok(add_sums(&mut Transaction::from(connection), &sums)?)
}

fn sums_of(changes: &[Change], histories: &[History], uncounted: &BTreeSet<i64>) -> Sums {
    let mut sums = Sums::default();
    for (change, history) in changes.iter().zip(histories) {
        if !uncounted.contains(&change.user.telegram_id.get()) {
            change.add_to(history, &mut sums);
        }
    }
    sums
}

fn write_users(
    connection: &mut AnyConnection,
    changes: &[Change],
    histories: &[History],
    losers: Vec<Loser>,
) -> Result<(), Failure> {
    let (mut renamed, mut profile_changes) = (Vec::new(), ProfileChanges::new());
    for change in changes {
        change.note(&mut renamed, &mut profile_changes);
    }
    for Loser { telegram_id, at } in losers {
        diesel::update(telegram_users::table.find(telegram_id))
            .set((
                telegram_users::username.eq(None::<String>),
                telegram_users::updated_at.eq(UtcMicros::from(at)),
            ))
            .execute(connection)?;
        renamed.push(telegram_id);
    }
    renamed.sort_unstable();
    let is_updated = |change: &&Change| change.before.is_some();
    let updated: Vec<i64> =
        changes.iter().filter(is_updated).map(|it| it.user.telegram_id.get()).collect();
    if !updated.is_empty() {
        // Deleted and inserted again, because rows are written fastest in bulk.
        diesel::delete(telegram_users::table.filter(telegram_users::telegram_id.eq_any(&updated)))
            .execute(connection)?;
        diesel::delete(active_days::table.filter(active_days::telegram_id.eq_any(&updated)))
            .execute(connection)?;
    }
    let labelled = changes.iter().zip(histories).map(|(change, history)| LabelledHistory {
        history,
        source_label: change.source_label,
        start_labels: Vec::new(),
    });
    store_users(connection, &labelled.collect::<Vec<_>>())?;
    Ok(names::add(&mut Transaction::from(connection), &renamed, &profile_changes)?)
}

impl Change {
    /// The user with all days of activity: those that were known, and those of the first and latest
    /// interaction.
    fn history(&self) -> History {
        let mut days =
            self.before.as_ref().map(|before| before.past.days.clone()).unwrap_or_default();
        let (created_at, last_seen) = (self.user.created_at, self.user.last_seen);
        // The latest interaction of a day does not show when the first one was.
        for (at, first) in [(created_at, Some(Hour::of(created_at))), (last_seen, None)] {
            let (known, _) = days.entry(at.date_naive()).or_insert((first, 1));
            *known = known.map(|known| known.min(Hour::of(at)));
        }
        let day = |(day, (first_hour, interactions))| (ActiveDay { day, first_hour }, interactions);
        History {
            user: self.user.clone(),
            days: days.into_iter().map(day).collect(),
            reach_changes: Vec::new(),
            starts: Vec::new(),
            uses: Vec::new(),
        }
    }

    /// Adds what the user counts now, and subtracts what it counted before.
    fn add_to(&self, history: &History, sums: &mut Sums) {
        let nothing = Past::default();
        let past = self.before.as_ref().map_or(&nothing, |before| &before.past);
        let days: Vec<_> = history.days.iter().map(|(day, _)| *day).collect();
        facts(&self.user, self.source_label, &days, past).add_to(sums);
        if let Some(Before { user, past }) = &self.before {
            let day = |(&day, &(first_hour, _)): (_, &(_, _))| ActiveDay { day, first_hour };
            let days: Vec<_> = past.days.iter().map(day).collect();
            let mut before = Sums::default();
            facts(user, past.source_label, &days, past).add_to(&mut before);
            for ((figure, day, label), value) in before {
                sums.add(figure, day, label, -value);
            }
        }
    }

    /// Notes how the profile of an existing user changed, and whether its names did.
    fn note(&self, renamed: &mut Vec<i64>, changes: &mut ProfileChanges) {
        let Some(Before { user: before, .. }) = &self.before else { return };
        let id = before.telegram_id;
        for field in ProfileField::ALL {
            let text = |user| field.of(user).filter(|text| !text.is_empty()).map(str::to_owned);
            let (old, new) = (text(before), text(&self.user));
            if old != new {
                let key = ChangeKey { user: id, at: self.user.updated_at, field };
                changes.insert(key, OldAndNew { old, new });
                if field != ProfileField::LanguageCode && renamed.last() != Some(&id.get()) {
                    renamed.push(id.get());
                }
            }
        }
    }
}

fn facts<'a>(
    user: &'a TelegramUser,
    source_label: Option<i32>,
    days: &'a [ActiveDay],
    past: &'a Past,
) -> Facts<'a> {
    Facts {
        origin: origin(user, source_label),
        language_code: user.language_code.as_deref(),
        is_reachable: user.reachability.is_reachable(),
        days,
        reach_changes: &past.reach_changes,
        starts: &past.starts,
    }
}

/// A user's latest day of activity, and the label that its source counts under.
#[derive(Queryable, Selectable)]
#[diesel(table_name = telegram_users)]
struct LatestRow {
    telegram_id: i64,
    active_day: NaiveDate,
    first_hour: Option<i32>,
    day_interactions: i32,
    source_label: Option<i32>,
}

/// A row of `active_days`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = active_days)]
struct DayRow {
    telegram_id: i64,
    day: NaiveDate,
    interactions: i32,
    first_hour: Option<i32>,
}
