//! Recording a batch of interactions: one transaction of these steps, each over all its rows sorted
//! by key, so that several processes lock rows in one order. On PostgreSQL a step is a statement or
//! two, whatever the batch's size; on SQLite one for each row.
//!
//! 1. The update_ids are remembered. Interactions whose update was known already are left out of
//!    what follows.
//! 2. Upsert: creates the users that are new, moves `last_seen` of the others and answers what it
//!    was. It locks every row of the batch, and touches no indexed column.
//! 3. If the batch claims usernames, those names are locked and their holders read.
//! 4. The interactions are replayed in memory by the domain's rules, from the rows so answered.
//! 5. Rare facts (who blocked the bot, who came by a deep link, whose latest day of activity became
//!    a past one) go into the users' histories.
//! 6. What the interactions changed is written: rows whose profile or day changed, few as a rule;
//!    users outside the batch who lost their username, if any; and what it adds to the sums.
//! 7. Updates that could not be read are kept.

/// The statements of [`Statements`] that both databases spell alike: rare ones, over few rows. A
/// macro, because Diesel's queries are typed by the database.
macro_rules! statements_alike {
    () => {
        fn rows(&mut self, ids: &[i64]) -> QueryResult<Vec<UserRow>> {
            telegram_users::table
                .filter(telegram_users::telegram_id.eq_any(ids))
                .select(UserRow::as_select())
                .load(self)
        }

        fn note_reach(&mut self, id: TelegramId, change: ReachabilityChange) -> QueryResult<bool> {
            let inserted = diesel::insert_into(reach_history::table)
                .values(reach_row(id, change))
                .on_conflict_do_nothing()
                .execute(self)?;
            Ok(inserted > 0)
        }

        fn note_start(
            &mut self,
            id: TelegramId,
            at: DateTime<Utc>,
            payload: &StartPayload,
            label: Option<i32>,
        ) -> QueryResult<bool> {
            let inserted = diesel::insert_into(starts::table)
                .values((
                    starts::telegram_id.eq(id.get()),
                    starts::at.eq(UtcMicros::from(at)),
                    starts::payload.eq(payload.as_str()),
                    starts::label.eq(label),
                ))
                .on_conflict_do_nothing()
                .execute(self)?;
            Ok(inserted > 0)
        }

        fn past_day(&mut self, id: TelegramId, day: NaiveDate) -> QueryResult<PastDay> {
            let days = || active_days::table.filter(active_days::telegram_id.eq(id.get()));
            let of_month = days()
                .filter(active_days::day.ge(month(day)))
                .filter(active_days::day.lt(month(day) + Months::new(1)));
            let (is_known, previous, next, of_month): (bool, _, _, i64) = diesel::select((
                exists(days().filter(active_days::day.eq(day))),
                days()
                    .filter(active_days::day.lt(day))
                    .select(max(active_days::day))
                    .single_value(),
                days()
                    .filter(active_days::day.gt(day))
                    .select(min(active_days::day))
                    .single_value(),
                of_month.count().single_value().assume_not_null(),
            ))
            .get_result(self)?;
            let others_of_month = u32::try_from(of_month).unwrap_or_default();
            let neighbours = Neighbours { previous, next, others_of_month };
            Ok(if is_known { PastDay::Known } else { PastDay::Between(neighbours) })
        }

        fn add_erased(&mut self, sums: &Sums) -> QueryResult<()> {
            for (figure, day, label, value) in sums.iter() {
                diesel::insert_into(erased_sums::table)
                    .values((
                        erased_sums::figure.eq(figure.name()),
                        erased_sums::day.eq(day),
                        erased_sums::label.eq(label.text()),
                        erased_sums::value.eq(value),
                    ))
                    .on_conflict((erased_sums::figure, erased_sums::day, erased_sums::label))
                    .do_update()
                    .set(erased_sums::value.eq(erased_sums::value + excluded(erased_sums::value)))
                    .execute(self)?;
            }
            Ok(())
        }

        fn labels(&mut self, payloads: &[&str]) -> QueryResult<Vec<(String, i32)>> {
            sources::table
                .filter(sources::payload.eq_any(payloads))
                .filter(sources::label.is_not_null())
                .select((sources::payload, sources::label.assume_not_null()))
                .load(self)
        }

        fn give_labels(
            &mut self,
            links: &[(&str, DateTime<Utc>)],
        ) -> QueryResult<Vec<(String, i32)>> {
            let links = room_for_labels(sources::table.count().get_result(self)?, links);
            if links.is_empty() {
                return Ok(Vec::new());
            }
            // One transaction at a time, by this lock: so there is no more than there is room for,
            // and nobody gives labels to the same links in another order.
            let wanted = i32::try_from(links.len()).unwrap_or(i32::MAX);
            diesel::update(activity_state::table)
                .set(activity_state::labels.eq(activity_state::labels + wanted))
                .execute(self)?;
            let last: i32 = activity_state::table.select(activity_state::labels).first(self)?;
            let links = room_for_labels(sources::table.count().get_result(self)?, links);
            let mut labels = Vec::new();
            for (label, (payload, since)) in (last - wanted + 1..).zip(links) {
                // Others may have given it one meanwhile.
                let label = diesel::insert_into(sources::table)
                    .values((
                        sources::payload.eq(payload),
                        sources::label.eq(label),
                        sources::since.eq(UtcMicros::from(*since)),
                    ))
                    .on_conflict(sources::payload)
                    .do_update()
                    .set((
                        sources::label.eq(sql::<Nullable<Integer>>(
                            "coalesce(sources.label, excluded.label)",
                        )),
                        sources::since.eq(sql::<Nullable<Timestamp>>(
                            "coalesce(sources.since, excluded.since)",
                        )),
                    ))
                    .returning(sources::label.assume_not_null())
                    .get_result(self)?;
                labels.push(((*payload).to_owned(), label));
            }
            Ok(labels)
        }

        fn label_users(&mut self, users: &[(i64, i32)]) -> QueryResult<()> {
            for (id, label) in users {
                diesel::update(telegram_users::table.find(id))
                    .set(telegram_users::source_label.eq(label))
                    .execute(self)?;
            }
            Ok(())
        }

        fn quarantine(&mut self, updates: &[QuarantinedUpdate]) -> QueryResult<()> {
            for update in updates {
                diesel::insert_into(quarantine::table)
                    .values(quarantine_row(update))
                    .on_conflict(quarantine::update_id)
                    .do_update()
                    .set((
                        quarantine::registered
                            .eq(quarantine::registered.or(excluded(quarantine::registered))),
                        quarantine::telegram_id.eq(excluded(quarantine::telegram_id)),
                    ))
                    .execute(self)?;
            }
            Ok(())
        }
    };
}

/// Writes a statement: its text, and its parameters each with its SQL type.
macro_rules! push {
    ($out:ident, ) => {};
    ($out:ident, $sql:literal $(, $($rest:tt)*)?) => {
        $out.push_sql($sql);
        push!($out, $($($rest)*)?);
    };
    ($out:ident, $type:ty = $value:expr $(, $($rest:tt)*)?) => {
        $out.push_bind_param::<$type, _>($value)?;
        push!($out, $($($rest)*)?);
    };
}

mod activity;
mod labels;
mod postgres;
mod replay;
mod sqlite;

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::{Connection, PgConnection, QueryResult, result::Error as DieselError};
use rollcall_domain::{
    Interaction, InteractionKind, LatestDay, Neighbours, Profile, ProfileField, QuarantinedUpdate,
    ReachabilityChange, Registration, StartPayload, Sums, TelegramId, TelegramUser, Username,
    seen_for_certain,
};
use rollcall_repository::Batch;

use self::{
    labels::{Labels, room_for_labels},
    replay::{Replay, Replayed, StoredDay},
};
use crate::{
    connection::AnyConnection,
    error::{Failure, is_unnamed, may_be_for_others},
    pooling::Sessions,
    row::{UserRow, telegram_id},
    sqlstate,
    timestamp::UtcMicros,
};

/// The statements of a registration, as a database spells them.
pub(crate) trait Statements: Connection {
    /// Remembers updates; answers each block with the updates of it that were known before, if
    /// there were any.
    fn remember(&mut self, blocks: &Blocks, now: DateTime<Utc>) -> QueryResult<Vec<Known>>;

    /// The rows of users with these ids, as far as there are such.
    fn rows(&mut self, ids: &[i64]) -> QueryResult<Vec<UserRow>>;

    /// Inserts `users`, which are sorted by id and have one row each; where a user exists, moves
    /// its `last_seen` forward, and counts the interactions if they were on the day that is its
    /// latest already. Answers all their rows, and of those that existed what `last_seen` was
    /// before.
    fn upsert(&mut self, users: &[Seen]) -> QueryResult<Vec<Upserted>>;

    /// Locks the usernames with these keys, and then the rows of these users and of whoever holds
    /// one of the names. Both are sorted, and before them only the blocks of updates are locked, so
    /// that all who do this wait for each other in one order.
    fn lock_ahead(&mut self, users: &[i64], keys: &[&str]) -> QueryResult<()>;

    /// Locks the usernames with these keys, so that nobody else has them change hands; answers
    /// whether that was possible without waiting.
    fn lock_usernames(&mut self, keys: &[&str]) -> QueryResult<bool>;

    /// Locks the rows whose username has one of these keys, and answers id, username,
    /// `last_seen` and `profile_seen` of each. Fails where it would have to wait for one.
    fn holders(&mut self, keys: &[&str]) -> QueryResult<Vec<Holder>>;

    /// Writes what the interactions changed, and does what [`Statements::note_names`] does.
    fn finish(&mut self, changes: &Changes) -> QueryResult<()>;

    /// Adds to a user's history that it could no longer be reached, or could be again; answers
    /// whether that was not there yet.
    fn note_reach(&mut self, id: TelegramId, change: ReachabilityChange) -> QueryResult<bool>;

    /// Adds to a user's history that it came by a deep link, which counts under the label of this
    /// number; answers whether that was not there yet.
    fn note_start(
        &mut self,
        id: TelegramId,
        at: DateTime<Utc>,
        payload: &StartPayload,
        label: Option<i32>,
    ) -> QueryResult<bool>;

    /// Notes how profiles changed, and that the names of these users, who are sorted, are to be
    /// taken into the search. Whoever takes them does not see the new names yet, so it must not be
    /// done with them before this transaction is.
    fn note_names(
        &mut self,
        users: &[i64],
        changes: &BTreeMap<ChangeKey, OldAndNew>,
    ) -> QueryResult<()>;

    /// What is known of a day before the user's latest.
    fn past_day(&mut self, id: TelegramId, day: NaiveDate) -> QueryResult<PastDay>;

    /// Adds days to the users' histories, or interactions to those that are there; sorted.
    fn add_days(&mut self, days: &[ActiveDay]) -> QueryResult<()>;

    /// Which of these deep links have labels, and the numbers of these.
    fn labels(&mut self, payloads: &[&str]) -> QueryResult<Vec<(String, i32)>>;

    /// Gives deep links a label each, from a moment on, as far as there is room; the first ones
    /// first. Answers which have one now, and its number.
    fn give_labels(&mut self, links: &[(&str, DateTime<Utc>)]) -> QueryResult<Vec<(String, i32)>>;

    /// Has the sources of these users, whose rows are locked, count under labels: by id, the number
    /// of each.
    fn label_users(&mut self, users: &[(i64, i32)]) -> QueryResult<()>;

    /// Adds to the sums.
    fn add_sums(&mut self, sums: &Sums) -> QueryResult<()>;

    /// Adds to the sums of those who were erased.
    fn add_erased(&mut self, sums: &Sums) -> QueryResult<()>;

    /// Keeps updates that could not be read in full; of those that are kept already it notes only
    /// that they are now registered.
    fn quarantine(&mut self, updates: &[QuarantinedUpdate]) -> QueryResult<()>;
}

/// What a batch changes, beyond touching its users. All rows of users are locked by then.
pub(crate) struct Changes<'a> {
    /// Users whose profile, reach or day of activity changed; sorted by id.
    users: Vec<(&'a TelegramUser, LatestDay)>,
    /// Users outside the batch who lost their username, and when; sorted.
    losers: Vec<(TelegramId, DateTime<Utc>)>,
    /// To be added to the sums.
    sums: Sums,
    /// Whose names are to be taken into the search; sorted.
    other_names: Vec<i64>,
    /// How profiles changed.
    profile_changes: &'a BTreeMap<ChangeKey, OldAndNew>,
}

/// A user of a batch as it would be if it were new.
pub(crate) struct Seen {
    user: TelegramUser,
    /// How many interactions of the batch were on the user's latest day.
    interactions: i32,
    /// The number of the label that the user's source has.
    source_label: Option<i32>,
}

/// What is known of a day before a user's latest.
pub(crate) enum PastDay {
    /// It is one of the user's days of activity.
    Known,
    /// It is not; it lies between these.
    Between(Neighbours),
}

/// A day of a user's activity, and how many interactions there were on it.
pub(crate) type ActiveDay = (TelegramId, NaiveDate, i32);

/// Updates by their block: 64 neighbours each, a bit for each of them; see [`place`].
pub(crate) type Blocks = BTreeMap<i64, i64>;

/// A block, and which of its updates were known.
pub(crate) type Known = (i64, Option<i64>);

/// The row of a user after an upsert; `last_seen` before it, `None` where it was created; and the
/// interactions of the row's latest day, how many days of its month the user was active, and how
/// many days ever.
pub(crate) type Upserted = (UserRow, Option<UtcMicros>, i32, i16, i32);

/// A user and a moment, and which part of the profile changed then.
pub(crate) type ChangeKey = (TelegramId, DateTime<Utc>, ProfileField);

/// What part of a profile was before a change, and what it was after.
pub(crate) type OldAndNew = (Option<String>, Option<String>);

/// Who holds a username: id, username, `last_seen`, `profile_seen`.
pub(crate) type Holder = (i64, String, UtcMicros, Option<UtcMicros>);

/// Whether a batch was tried before.
///
/// Which usernames change hands shows only when the rows of the batch are locked. To wait then for
/// names, or for those who hold them, could make two transactions wait for each other, and
/// PostgreSQL looks for such a knot only after a second. So the first attempt gives way, and the
/// next one locks all of it ahead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    First,
    Again,
}

/// Records a batch; see
/// [`UserRepository::register`](rollcall_repository::UserRepository::register).
pub(crate) fn register(
    connection: &mut AnyConnection,
    batch: &Batch,
    now: DateTime<Utc>,
    attempt: Attempt,
    sessions: Sessions,
) -> Result<Vec<Registration>, Failure> {
    match connection {
        // Taking the write lock at once is what keeps SQLite's writers from failing half way.
        AnyConnection::Sqlite(connection) => {
            connection.immediate_transaction(|connection| record(connection, batch, now, attempt))
        }
        AnyConnection::Postgres(connection) => {
            match register_on_postgres(connection, batch, now, attempt, sessions) {
                // What may be for others has passed by the next attempt, most often.
                Err(Failure::Diesel(error))
                    if is_unnamed(&error)
                        && (attempt == Attempt::Again || !may_be_for_others(&error)) =>
                {
                    sqlstate::examine(connection, error, |connection| {
                        sessions.settle(connection)?;
                        record(connection, batch, now, attempt)
                    })
                }
                result => result,
            }
        }
    }
}

fn register_on_postgres(
    connection: &mut PgConnection,
    batch: &Batch,
    now: DateTime<Utc>,
    attempt: Attempt,
    sessions: Sessions,
) -> Result<Vec<Registration>, Failure> {
    if let Some(registration) = postgres::touch(connection, batch)? {
        return Ok(vec![registration]);
    }
    // Said, for a server may have another default: each statement is to see what others have
    // committed by then.
    let mut transaction = connection.build_transaction().read_committed();
    transaction.run(|connection| {
        sessions.settle(connection)?;
        record(connection, batch, now, attempt)
    })
}

/// Registers a made-up user and takes it back; see
/// [`UserRepository::rehearse`](rollcall_repository::UserRepository::rehearse).
pub(crate) fn rehearse(connection: &mut AnyConnection, now: DateTime<Utc>) -> Result<(), Failure> {
    let rehearsed = match connection {
        AnyConnection::Sqlite(connection) => {
            connection.immediate_transaction(|connection| record_made_up(connection, now))
        }
        AnyConnection::Postgres(connection) => {
            let mut transaction = connection.build_transaction().read_committed();
            transaction.run(|connection| record_made_up(connection, now))
        }
    };
    match rehearsed {
        Err(Failure::Diesel(DieselError::RollbackTransaction)) => Ok(()),
        result => result,
    }
}

/// Creates a user whose id no account of Telegram has, and changes it the day after. Fails in any
/// case, so that all of it is rolled back.
fn record_made_up(connection: &mut impl Statements, now: DateTime<Utc>) -> Result<(), Failure> {
    let call = |at, name| {
        let profile = Profile::new(TelegramId::MAX, name);
        vec![Interaction::new(at, profile, InteractionKind::Call)].into()
    };
    record(connection, &call(now - TimeDelta::days(1), "Made"), now, Attempt::First)?;
    record(connection, &call(now, "Made Up"), now, Attempt::First)?;
    Err(DieselError::RollbackTransaction.into())
}

fn record(
    connection: &mut impl Statements,
    batch: &Batch,
    now: DateTime<Utc>,
    attempt: Attempt,
) -> Result<Vec<Registration>, Failure> {
    let known = remember_updates(connection, &batch.interactions, now)?;
    let is_known = |interaction: &Interaction| {
        let place = place(interaction);
        place.is_some_and(|(block, bit)| known.get(&block).is_some_and(|it| it & bit != 0))
    };
    let is_new = |interaction: &&Interaction| !is_known(interaction);
    let new: Vec<&Interaction> = without_repetitions(batch.interactions.iter().filter(is_new));
    let mut users = record_users(connection, &new, now, attempt)?;
    if !batch.quarantined.is_empty() {
        connection.quarantine(&batch.quarantined)?;
    }
    if new.len() < batch.interactions.len() {
        add_those_who_stand(connection, &mut users, &batch.interactions)?;
    }
    let answers = batch.interactions.iter();
    Ok(answers.map(|interaction| registration(&mut users, interaction)).collect())
}

/// Remembers the updates of a batch; answers which updates of their blocks were known before.
fn remember_updates(
    connection: &mut impl Statements,
    interactions: &[Interaction],
    now: DateTime<Utc>,
) -> Result<Blocks, Failure> {
    let mut blocks = Blocks::new();
    for (block, bit) in interactions.iter().filter_map(place) {
        *blocks.entry(block).or_default() |= bit;
    }
    if blocks.is_empty() {
        return Ok(blocks);
    }
    let known = connection.remember(&blocks, now)?;
    Ok(known.into_iter().filter_map(|(block, known)| Some((block, known?))).collect())
}

/// Where an update is remembered: its block, and its bit there. Users with odd ids have blocks of
/// their own, so that two writers who share the users out by that do not wait for each other.
fn place(interaction: &Interaction) -> Option<(i64, i64)> {
    let update_id = interaction.update_id?;
    let parity = interaction.telegram_id().get() & 1;
    Some((((update_id >> 6) << 1) | parity, 1 << (update_id & 63)))
}

/// Leaves out what comes twice within a batch, too.
fn without_repetitions<'a>(
    interactions: impl Iterator<Item = &'a Interaction>,
) -> Vec<&'a Interaction> {
    let mut seen = BTreeSet::new();
    interactions
        .filter(|interaction| interaction.update_id.is_none_or(|update_id| seen.insert(update_id)))
        .collect()
}

/// Creates and updates the users of a batch, and counts what they did; answers all of them.
fn record_users(
    connection: &mut impl Statements,
    interactions: &[&Interaction],
    now: DateTime<Utc>,
    attempt: Attempt,
) -> Result<HashMap<TelegramId, Replayed>, Failure> {
    if interactions.is_empty() {
        return Ok(HashMap::new());
    }
    let labels = Labels::read(connection, interactions)?;
    let seen = as_if_new(interactions, now, &labels);
    if attempt == Attempt::Again {
        let users: Vec<i64> = seen.iter().map(|seen| seen.user.telegram_id.get()).collect();
        let shown = interactions.iter().filter_map(|it| it.profile.shown_username());
        let keys: BTreeSet<String> = shown.map(Username::key).collect();
        connection.lock_ahead(&users, &keys.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    let mut replay = Replay::default();
    for (row, previous_seen, on_day, of_month, ever) in connection.upsert(&seen)? {
        let latest = StoredDay { interactions: on_day, of_month, ever };
        let source_label = row.source_label;
        replay.add(row.into_user()?, source_label, previous_seen.map(Into::into), latest);
    }

    let contested = replay.contested(interactions);
    if !contested.is_empty() {
        let keys: Vec<&str> = contested.iter().map(String::as_str).collect();
        if !connection.lock_usernames(&keys)? {
            return Err(Failure::GaveWay);
        }
        // Read in a statement of its own, after the rows of the batch and the names are locked:
        // only then does it see what other processes committed meanwhile.
        replay.add_holders(&contested, read_holders(connection, &keys, now)?);
    }

    for interaction in interactions {
        replay.observe(interaction, now);
    }

    let sums = activity::note(connection, &mut replay, interactions, labels)?;
    let other_names = replay.other_names();
    let Replay { users, losers, profile_changes, .. } = replay;
    let mut changed: Vec<_> = users
        .values()
        .filter(|replayed| replayed.has_changed())
        .map(|replayed| (&replayed.user, replayed.latest))
        .collect();
    changed.sort_unstable_by_key(|(user, _)| user.telegram_id);
    let losers = losers.into_iter().collect();
    connection.finish(&Changes {
        users: changed,
        losers,
        sums,
        other_names,
        profile_changes: &profile_changes,
    })?;
    Ok(users)
}

/// What each user of the batch would be if it were new, sorted by id.
fn as_if_new(interactions: &[&Interaction], now: DateTime<Utc>, labels: &Labels) -> Vec<Seen> {
    let mut users: BTreeMap<TelegramId, Seen> = BTreeMap::new();
    for interaction in interactions {
        match users.entry(interaction.telegram_id()) {
            Entry::Vacant(entry) => {
                let user = TelegramUser::created_by(interaction);
                let source_label = user.source.as_ref().and_then(|source| labels.at_first(source));
                entry.insert(Seen { user, interactions: 1, source_label });
            }
            Entry::Occupied(mut entry) => {
                let Seen { user, interactions, .. } = entry.get_mut();
                let (latest, day) = (user.active_day(), interaction.at.date_naive());
                user.observe(interaction, now);
                match day.cmp(&latest) {
                    Ordering::Greater => *interactions = 1,
                    Ordering::Equal => *interactions += 1,
                    Ordering::Less => {}
                }
            }
        }
    }
    users.into_values().collect()
}

/// Who holds these usernames, and since when that is certain.
fn read_holders(
    connection: &mut impl Statements,
    keys: &[&str],
    now: DateTime<Utc>,
) -> Result<Vec<(TelegramId, Username, DateTime<Utc>)>, Failure> {
    let mut holders = Vec::new();
    for (id, username, last_seen, profile_seen) in connection.holders(keys)? {
        let id = telegram_id("telegram_users", id)?;
        let seen = seen_for_certain(last_seen.into(), profile_seen.map(Into::into), now);
        holders.extend(Username::from_telegram(&username).map(|username| (id, username, seen)));
    }
    Ok(holders)
}

/// Adds the users whom only updates that came again speak of, as they stand.
fn add_those_who_stand(
    connection: &mut impl Statements,
    users: &mut HashMap<TelegramId, Replayed>,
    interactions: &[Interaction],
) -> Result<(), Failure> {
    let absent: BTreeSet<i64> = interactions
        .iter()
        .map(Interaction::telegram_id)
        .filter(|id| !users.contains_key(id))
        .map(TelegramId::get)
        .collect();
    for row in connection.rows(&absent.into_iter().collect::<Vec<_>>())? {
        let source_label = row.source_label;
        let user = row.into_user()?;
        users.insert(user.telegram_id, Replayed::unchanged(user, source_label));
    }
    Ok(())
}

/// The answer to one interaction; the first one of a new user is the one that created it.
fn registration(
    users: &mut HashMap<TelegramId, Replayed>,
    interaction: &Interaction,
) -> Registration {
    let id = interaction.telegram_id();
    let Some(replayed) = users.get_mut(&id) else {
        // An update that came again, of somebody who was deleted meanwhile.
        return Registration { user: TelegramUser::created_by(interaction), created: false };
    };
    let created = std::mem::take(&mut replayed.created);
    Registration { user: replayed.user.clone(), created }
}
