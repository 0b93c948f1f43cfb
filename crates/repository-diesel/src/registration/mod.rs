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
//! 5. What they changed is written: rows whose profile or day changed, few as a rule; users outside
//!    the batch who lost their username, if any; and the counts of interactions by day.
//! 6. Rare facts (who blocked the bot, who came by a deep link) go into the users' histories, and
//!    updates that could not be read are kept.

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

        fn note_reach(&mut self, id: TelegramId, change: ReachChange) -> QueryResult<()> {
            diesel::insert_into(reach_history::table)
                .values(reach_row(id, change))
                .on_conflict_do_nothing()
                .execute(self)
                .map(drop)
        }

        fn note_start(
            &mut self,
            id: TelegramId,
            at: DateTime<Utc>,
            payload: &StartPayload,
        ) -> QueryResult<()> {
            diesel::insert_into(starts::table)
                .values((
                    starts::telegram_id.eq(id.get()),
                    starts::at.eq(UtcMicros::from(at)),
                    starts::payload.eq(payload.as_str()),
                ))
                .on_conflict_do_nothing()
                .execute(self)
                .map(drop)
        }

        fn set_aside(&mut self, updates: &[SetAside]) -> QueryResult<()> {
            for update in updates {
                diesel::insert_into(quarantine::table)
                    .values(quarantine_row(update))
                    .on_conflict(quarantine::update_id)
                    .do_update()
                    .set(
                        quarantine::registered
                            .eq(quarantine::registered.or(excluded(quarantine::registered))),
                    )
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

mod postgres;
mod replay;
mod sqlite;

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{Connection, QueryResult};
use rollcall_domain::{
    Event, Interaction, ReachChange, Registration, SetAside, StartPayload, TelegramId,
    TelegramUser, Username,
};
use rollcall_repository::Batch;

use self::replay::{Replay, Replayed};
use crate::{
    connection::AnyConnection,
    error::Failure,
    row::{UserRow, telegram_id},
    timestamp::UtcMicros,
};

/// The statements of a registration, as a database spells them.
trait Statements: Connection {
    /// Remembers updates; answers each block with the updates of it that were known before, if
    /// there were any.
    fn remember(&mut self, blocks: &Blocks, now: DateTime<Utc>) -> QueryResult<Vec<Known>>;

    /// The rows of users with these ids, as far as there are such.
    fn rows(&mut self, ids: &[i64]) -> QueryResult<Vec<UserRow>>;

    /// Inserts `users`, which are sorted by id and have one row each; where a user exists, moves
    /// its `last_seen` forward. Answers all their rows, and of those that existed what `last_seen`
    /// was before.
    fn upsert(&mut self, users: &[TelegramUser]) -> QueryResult<Vec<Upserted>>;

    /// Waits until no other transaction is changing the hands of usernames with these keys.
    fn lock_usernames(&mut self, keys: &[&str]) -> QueryResult<()>;

    /// Locks the rows whose username has one of these keys, and answers id, username and
    /// `last_seen` of each.
    fn holders(&mut self, keys: &[&str]) -> QueryResult<Vec<Holder>>;

    /// Writes what the interactions changed.
    fn finish(&mut self, changes: &Changes) -> QueryResult<()>;

    /// Adds to a user's history that it could no longer be reached, or could be again.
    fn note_reach(&mut self, id: TelegramId, change: ReachChange) -> QueryResult<()>;

    /// Adds to a user's history that it came by a deep link.
    fn note_start(
        &mut self,
        id: TelegramId,
        at: DateTime<Utc>,
        payload: &StartPayload,
    ) -> QueryResult<()>;

    /// Keeps updates that could not be read in full; of those that are kept already it notes only
    /// that they are now registered.
    fn set_aside(&mut self, updates: &[SetAside]) -> QueryResult<()>;
}

/// What a batch changes, beyond touching its users. All rows of users are locked by then.
struct Changes<'a> {
    /// Users whose profile, reach or day of activity changed; sorted by id.
    users: Vec<&'a TelegramUser>,
    /// Users outside the batch who lost their username, and when; sorted.
    losers: Vec<(TelegramId, DateTime<Utc>)>,
    /// To be added to the counts of interactions: one for each day and kind, sorted.
    counts: Vec<Count>,
}

/// Updates by their block: 64 neighbours each, a bit for each of them.
type Blocks = BTreeMap<i64, i64>;

/// A block, and which of its updates were known.
type Known = (i64, Option<i64>);

/// The row of a user after an upsert, and `last_seen` before it; `None` where it was created.
type Upserted = (UserRow, Option<UtcMicros>);

/// So many interactions of a kind, by its name, on a day.
type Count = (NaiveDate, &'static str, i64);

/// Who holds a username: id, username, `last_seen`.
type Holder = (i64, String, UtcMicros);

/// Records a batch; see
/// [`UserRepository::register`](rollcall_repository::UserRepository::register).
pub(crate) fn register(
    connection: &mut AnyConnection,
    batch: &Batch,
    now: DateTime<Utc>,
) -> Result<Vec<Registration>, Failure> {
    match connection {
        // Taking the write lock at once is what keeps SQLite's writers from failing half way.
        AnyConnection::Sqlite(connection) => {
            connection.immediate_transaction(|connection| record(connection, batch, now))
        }
        AnyConnection::Postgres(connection) => {
            if let Some(registration) = postgres::touch(connection, batch)? {
                return Ok(vec![registration]);
            }
            // Said, for a server may have another default: each statement is to see what others
            // have committed by then.
            let mut transaction = connection.build_transaction().read_committed();
            transaction.run(|connection| record(connection, batch, now))
        }
    }
}

fn record(
    connection: &mut impl Statements,
    batch: &Batch,
    now: DateTime<Utc>,
) -> Result<Vec<Registration>, Failure> {
    let known = remember_updates(connection, &batch.interactions, now)?;
    let is_known =
        |update_id: i64| known.get(&block(update_id)).is_some_and(|it| it & bit(update_id) != 0);
    let is_new = |interaction: &&Interaction| !interaction.update_id.is_some_and(is_known);
    let new: Vec<&Interaction> = without_repetitions(batch.interactions.iter().filter(is_new));
    let mut users = record_users(connection, &new)?;
    if !batch.set_aside.is_empty() {
        connection.set_aside(&batch.set_aside)?;
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
    for update_id in interactions.iter().filter_map(|interaction| interaction.update_id) {
        *blocks.entry(block(update_id)).or_default() |= bit(update_id);
    }
    if blocks.is_empty() {
        return Ok(blocks);
    }
    let known = connection.remember(&blocks, now)?;
    Ok(known.into_iter().filter_map(|(block, known)| Some((block, known?))).collect())
}

/// The block of an update.
fn block(update_id: i64) -> i64 {
    update_id >> 6
}

/// The update's bit in its block.
fn bit(update_id: i64) -> i64 {
    1 << (update_id & 63)
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
) -> Result<HashMap<TelegramId, Replayed>, Failure> {
    if interactions.is_empty() {
        return Ok(HashMap::new());
    }
    let mut replay = Replay::default();
    for (row, previous_seen) in connection.upsert(&as_if_new(interactions))? {
        replay.add(row.into_user()?, previous_seen.map(Into::into));
    }

    let contested = replay.contested(interactions);
    if !contested.is_empty() {
        let keys: Vec<&str> = contested.iter().map(String::as_str).collect();
        connection.lock_usernames(&keys)?;
        // Read in a statement of its own, after the rows of the batch and the names are locked:
        // only then does it see what other processes committed meanwhile.
        replay.add_holders(&contested, read_holders(connection, &keys)?);
    }

    for interaction in interactions {
        replay.observe(interaction);
    }

    let Replay { users, losers, reach_changes, .. } = replay;
    let mut changed: Vec<&TelegramUser> = users
        .values()
        .filter(|replayed| replayed.has_changed())
        .map(|replayed| &replayed.user)
        .collect();
    changed.sort_unstable_by_key(|user| user.telegram_id);
    let losers = losers.into_iter().collect();
    connection.finish(&Changes { users: changed, losers, counts: counts(interactions) })?;
    for (id, change) in reach_changes {
        connection.note_reach(id, change)?;
    }
    for interaction in interactions {
        if let Some(Event::Start(payload)) = &interaction.event {
            connection.note_start(interaction.telegram_id(), interaction.at, payload)?;
        }
    }
    Ok(users)
}

/// What each user of the batch would be if it were new, sorted by id.
fn as_if_new(interactions: &[&Interaction]) -> Vec<TelegramUser> {
    let mut users: BTreeMap<TelegramId, TelegramUser> = BTreeMap::new();
    for interaction in interactions {
        let id = interaction.telegram_id();
        match users.entry(id) {
            Entry::Vacant(entry) => {
                entry.insert(TelegramUser::created_by(interaction));
            }
            Entry::Occupied(mut entry) => {
                entry.get_mut().observe(interaction);
            }
        }
    }
    users.into_values().collect()
}

fn read_holders(
    connection: &mut impl Statements,
    keys: &[&str],
) -> Result<Vec<(TelegramId, Username, DateTime<Utc>)>, Failure> {
    let mut holders = Vec::new();
    for (id, username, last_seen) in connection.holders(keys)? {
        let id = telegram_id("telegram_users", id)?;
        holders.extend(
            Username::from_telegram(&username).map(|username| (id, username, last_seen.into())),
        );
    }
    Ok(holders)
}

/// How many interactions of each kind there are for each day; sorted.
fn counts(interactions: &[&Interaction]) -> Vec<Count> {
    let mut counts: BTreeMap<(NaiveDate, &'static str), i64> = BTreeMap::new();
    for interaction in interactions {
        *counts.entry((interaction.at.date_naive(), interaction.kind.name())).or_default() += 1;
    }
    counts.into_iter().map(|((day, kind), count)| (day, kind, count)).collect()
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
        let user = row.into_user()?;
        let replayed = Replayed {
            active_day: user.active_day(),
            user: user.clone(),
            stored: user,
            created: false,
        };
        users.insert(replayed.user.telegram_id, replayed);
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
