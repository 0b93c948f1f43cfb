//! Users on their way out of the database, and into it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{Connection, prelude::*, result::Error::RollbackTransaction};
use rollcall_domain::{
    Facts, ProfileField, ReachabilityChange, SourceLabel, Sums, TelegramId, TelegramUser,
};
use rollcall_repository::{History, Imported, Incoming};

use crate::{
    activity::add_sums,
    connection::AnyConnection,
    demo::{Labelled, shut_others_out, store_users},
    directory::search::{self, Names},
    error::Failure,
    indexes,
    reach::reach_change,
    registration::{ChangeKey, OldAndNew, Statements},
    row::{UserRow, label_of, origin, telegram_id},
    schema::{active_days, reach_history, starts, telegram_users},
    sources::label_all,
    timestamp::UtcMicros,
};

/// See [`TransferRepository::users_after`](rollcall_repository::TransferRepository::users_after).
pub(crate) fn users_after(
    connection: &mut AnyConnection,
    after: Option<TelegramId>,
    limit: u32,
) -> Result<Vec<TelegramUser>, Failure> {
    let rows: Vec<UserRow> = telegram_users::table
        .filter(telegram_users::telegram_id.gt(after.map_or(0, TelegramId::get)))
        .order(telegram_users::telegram_id)
        .limit(limit.into())
        .select(UserRow::as_select())
        .load(connection)?;
    rows.into_iter().map(UserRow::into_user).collect()
}

/// See [`TransferRepository::id_after`](rollcall_repository::TransferRepository::id_after).
pub(crate) fn id_after(
    connection: &mut AnyConnection,
    after: Option<TelegramId>,
    place: u32,
) -> Result<Option<TelegramId>, Failure> {
    let id: Option<i64> = telegram_users::table
        .filter(telegram_users::telegram_id.gt(after.map_or(0, TelegramId::get)))
        .order(telegram_users::telegram_id)
        .offset(i64::from(place) - 1)
        .select(telegram_users::telegram_id)
        .first(connection)
        .optional()?;
    id.map(|id| telegram_id("telegram_users", id)).transpose()
}

/// See [`TransferRepository::import`](rollcall_repository::TransferRepository::import).
pub(crate) fn import(
    connection: &mut AnyConnection,
    incoming: Incoming,
    progress: &dyn Fn(Imported),
) -> Result<Option<Imported>, Failure> {
    let imported = connection.transaction(|connection| {
        shut_others_out(connection)?;
        let indexes = indexes::PutOff::begin(connection)?;
        let mut imported = Imported::default();
        for users in incoming {
            if users.is_empty() {
                indexes.build(connection)?;
                return Ok(imported);
            }
            take_in(connection, users, &mut imported)?;
            progress(imported);
        }
        Err(Failure::Diesel(RollbackTransaction))
    });
    match imported {
        Err(Failure::Diesel(RollbackTransaction)) => Ok(None),
        imported => imported.map(Some),
    }
}

/// Somebody who is created or updated.
struct Change {
    user: TelegramUser,
    /// The number of the label under which the user's source counts from now on.
    source_label: Option<i32>,
    /// What was known of the user, and on which days it was active.
    before: Option<(TelegramUser, Past)>,
}

fn take_in(
    connection: &mut AnyConnection,
    users: Vec<TelegramUser>,
    imported: &mut Imported,
) -> Result<(), Failure> {
    let mut given: BTreeMap<i64, TelegramUser> = BTreeMap::new();
    for user in users {
        let Some(first) = given.get_mut(&user.telegram_id.get()) else {
            given.insert(user.telegram_id.get(), user);
            continue;
        };
        // A line about somebody of whom there was one before.
        let before = first.clone();
        first.merge(user);
        let count = if *first == before { &mut imported.unchanged } else { &mut imported.updated };
        *count += 1;
    }
    let mut changes = changes(connection, given, imported)?;
    let losers = settle_usernames(connection, &mut changes)?;
    label_sources(connection, &mut changes)?;
    write(connection, &changes, losers)
}

/// Who of the users is created or updated, sorted by id.
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
            let before = Some((before, Past::default()));
            changes.push(Change { user: merged, source_label: None, before });
        }
    }
    let mut pasts = pasts(connection, &updated)?;
    for Change { before, .. } in &mut changes {
        if let Some((user, past)) = before {
            *past = pasts.remove(&user.telegram_id.get()).unwrap_or_default();
        }
    }
    Ok(changes)
}

/// What else is known of a user.
#[derive(Default)]
struct Past {
    /// The days of activity with their interactions, the latest one included.
    days: BTreeMap<NaiveDate, u32>,
    reach_changes: Vec<ReachabilityChange>,
    starts: Vec<(DateTime<Utc>, SourceLabel)>,
    /// The number of the label under which the user's source counts.
    source_label: Option<i32>,
}

fn pasts(connection: &mut AnyConnection, ids: &[i64]) -> Result<HashMap<i64, Past>, Failure> {
    let mut pasts: HashMap<i64, Past> = HashMap::new();
    let count = |interactions: i32| interactions.try_into().unwrap_or_default();
    let rows: Vec<(i64, NaiveDate, i32, Option<i32>)> = telegram_users::table
        .filter(telegram_users::telegram_id.eq_any(ids))
        .select((
            telegram_users::telegram_id,
            telegram_users::active_day,
            telegram_users::day_interactions,
            telegram_users::source_label,
        ))
        .load(connection)?;
    for (id, day, interactions, source_label) in rows {
        let past = pasts.entry(id).or_default();
        past.days.insert(day, count(interactions));
        past.source_label = source_label;
    }
    let others: Vec<(i64, NaiveDate, i32)> =
        active_days::table.filter(active_days::telegram_id.eq_any(ids)).load(connection)?;
    for (id, day, interactions) in others {
        pasts.entry(id).or_default().days.insert(day, count(interactions));
    }
    let changes: Vec<(i64, UtcMicros, String)> = reach_history::table
        .filter(reach_history::telegram_id.eq_any(ids))
        .order((reach_history::telegram_id, reach_history::at))
        .load(connection)?;
    for (id, at, change) in changes {
        pasts.entry(id).or_default().reach_changes.push(reach_change(id, at, &change)?);
    }
    let came: Vec<(i64, UtcMicros, Option<i32>)> = starts::table
        .filter(starts::telegram_id.eq_any(ids))
        .order((starts::telegram_id, starts::at))
        .select((starts::telegram_id, starts::at, starts::label))
        .load(connection)?;
    for (id, at, label) in came {
        pasts.entry(id).or_default().starts.push((at.into(), label_of(label)));
    }
    Ok(pasts)
}

/// Who loses a username, and when.
type Loser = (i64, DateTime<Utc>);

/// Leaves each username to the one user who was seen last of those who claim it. Answers who else
/// is to lose theirs.
fn settle_usernames(
    connection: &mut AnyConnection,
    changes: &mut [Change],
) -> Result<Vec<Loser>, Failure> {
    let claims: BTreeSet<String> =
        changes.iter().filter_map(|it| it.user.username.as_ref()).map(|it| it.key()).collect();
    let keys: Vec<&str> = claims.iter().map(String::as_str).collect();
    let holders = match connection {
        AnyConnection::Sqlite(connection) => connection.holders(&keys)?,
        AnyConnection::Postgres(connection) => connection.holders(&keys)?,
    };
    let changed: BTreeSet<i64> = changes.iter().map(|it| it.user.telegram_id.get()).collect();
    let others = holders.into_iter().filter(|(id, ..)| !changed.contains(id));
    let others: Vec<_> = others
        .map(|(id, username, last_seen, profile_seen)| {
            let seen = DateTime::<Utc>::from(profile_seen.unwrap_or(last_seen));
            (username.to_ascii_lowercase(), seen, id)
        })
        .collect();
    let within = changes.iter().filter_map(|Change { user, .. }| {
        let key = user.username.as_ref()?.key();
        Some((key, user.profile_seen.unwrap_or(user.last_seen), user.telegram_id.get()))
    });
    let mut owners: HashMap<String, (DateTime<Utc>, i64)> = HashMap::new();
    for (key, seen, id) in within.chain(others.iter().cloned()) {
        let owner = owners.entry(key).or_insert((seen, id));
        *owner = (*owner).max((seen, id));
    }
    let owns = |key: &str, id: i64| owners.get(key).is_some_and(|(_, owner)| *owner == id);
    for Change { user, .. } in changes {
        let id = user.telegram_id.get();
        user.username = user.username.take().filter(|username| owns(&username.key(), id));
    }
    let lost = others.into_iter().filter(|(key, _, id)| !owns(key, *id));
    let at = |key: &str| owners.get(key).map_or(DateTime::UNIX_EPOCH, |(at, _)| *at);
    Ok(lost.map(|(key, _, id)| (id, at(&key))).collect())
}

/// Has the sources of users who are created, and of those who came by another link than was known,
/// count under the labels that the links have or earn by it. The others count as they did.
fn label_sources(connection: &mut AnyConnection, changes: &mut [Change]) -> QueryResult<()> {
    let is_known = |change: &Change| {
        change.before.as_ref().is_some_and(|(user, _)| user.source == change.user.source)
    };
    let new = changes.iter().filter(|change| !is_known(change)).map(|change| &change.user);
    let labels = label_all(connection, new)?;
    for change in changes {
        change.source_label = match &change.before {
            Some((_, past)) if is_known(change) => past.source_label,
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
    // Summing up takes about as long as writing.
    let (sums, names) = std::thread::scope(|scope| {
        let created = changes.iter().filter(|change| change.before.is_none());
        let counted = scope.spawn(|| {
            (sums_of(changes, &histories), Names::of(created.map(|change| &change.user)))
        });
        write_users(connection, changes, &histories, losers)?;
        let counted = counted.join();
        Ok::<_, Failure>(counted.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    search::add_new(connection, names)?;
    Ok(add_sums(connection, &sums)?)
}

fn sums_of(changes: &[Change], histories: &[History]) -> Sums {
    let mut sums = Sums::default();
    for (change, history) in changes.iter().zip(histories) {
        change.add_to(history, &mut sums);
    }
    sums
}

fn write_users(
    connection: &mut AnyConnection,
    changes: &[Change],
    histories: &[History],
    losers: Vec<Loser>,
) -> Result<(), Failure> {
    let (mut renamed, mut profile_changes) = (Vec::new(), BTreeMap::new());
    for change in changes {
        change.note(&mut renamed, &mut profile_changes);
    }
    for (id, at) in losers {
        let loser = telegram_users::table.find(id);
        diesel::update(loser)
            .set((
                telegram_users::username.eq(None::<String>),
                telegram_users::updated_at.eq(UtcMicros::from(at)),
            ))
            .execute(connection)?;
        renamed.push(id);
    }
    renamed.sort_unstable();
    let is_updated = |change: &&Change| change.before.is_some();
    let updated: Vec<i64> =
        changes.iter().filter(is_updated).map(|it| it.user.telegram_id.get()).collect();
    if !updated.is_empty() {
        // Written anew, for rows are fastest written in bulk.
        diesel::delete(telegram_users::table.filter(telegram_users::telegram_id.eq_any(&updated)))
            .execute(connection)?;
        diesel::delete(active_days::table.filter(active_days::telegram_id.eq_any(&updated)))
            .execute(connection)?;
    }
    let labelled = changes.iter().zip(histories).map(|(change, history)| Labelled {
        history,
        source_label: change.source_label,
        start_labels: Vec::new(),
    });
    store_users(connection, &labelled.collect::<Vec<_>>())?;
    match connection {
        AnyConnection::Sqlite(connection) => connection.note_names(&renamed, &profile_changes)?,
        AnyConnection::Postgres(connection) => connection.note_names(&renamed, &profile_changes)?,
    }
    Ok(())
}

impl Change {
    /// The user with all days of activity: those that were known, and those of the first and the
    /// latest interaction.
    fn history(&self) -> History {
        let mut days = self.before.as_ref().map(|(_, past)| past.days.clone()).unwrap_or_default();
        for at in [self.user.created_at, self.user.last_seen] {
            days.entry(at.date_naive()).or_insert(1);
        }
        History {
            user: self.user.clone(),
            days: days.into_iter().collect(),
            reach_changes: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// Adds what the user counts now, and takes away what it counted before.
    fn add_to(&self, history: &History, sums: &mut Sums) {
        let nothing = Past::default();
        let past = self.before.as_ref().map_or(&nothing, |(_, past)| past);
        let days: Vec<_> = history.days.iter().map(|(day, _)| *day).collect();
        facts(&self.user, self.source_label, &days, past).add_to(sums);
        if let Some((user, past)) = &self.before {
            let days: Vec<_> = past.days.keys().copied().collect();
            let mut before = Sums::default();
            facts(user, past.source_label, &days, past).add_to(&mut before);
            for ((figure, day, label), value) in before {
                sums.add(figure, day, label, -value);
            }
        }
    }

    /// Notes how the profile of somebody who was there changed, and whether the names did.
    fn note(&self, renamed: &mut Vec<i64>, changes: &mut BTreeMap<ChangeKey, OldAndNew>) {
        let Some((before, _)) = &self.before else { return };
        let id = before.telegram_id;
        for field in ProfileField::ALL {
            let text = |user| field.of(user).filter(|text| !text.is_empty()).map(str::to_owned);
            let (old, new) = (text(before), text(&self.user));
            if old != new {
                changes.insert((id, self.user.updated_at, field), (old, new));
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
    days: &'a [NaiveDate],
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
