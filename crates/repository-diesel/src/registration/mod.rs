//! Recording a batch of interactions: one transaction of a fixed number of statements, whatever
//! the batch's size, each over all its rows sorted by key, so that several processes lock rows in
//! one order.
//!
//! 1. Upsert: creates the users that are new, moves `last_seen` of the others and answers what it
//!    was. It locks every row of the batch, and touches no indexed column.
//! 2. If the batch claims usernames, those names are locked and their holders read.
//! 3. The interactions are replayed in memory by the domain's rules, from the rows so answered.
//! 4. Rows whose profile or day changed, few as a rule, are updated.
//! 5. Users outside the batch who lost their username, if any, are told so.

mod postgres;
mod replay;
mod sqlite;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::{Connection, QueryResult};
use rollcall_domain::{Interaction, Registration, TelegramId, TelegramUser, Username};

use self::replay::{Replay, Replayed};
use crate::{
    connection::AnyConnection,
    error::Failure,
    row::{UserRow, telegram_id},
};

/// The statements of a registration, as a database spells them.
trait Statements: Connection {
    /// Inserts `users`, which are sorted by id and have one row each; where a user exists, moves
    /// its `last_seen` forward and keeps what it was in `previous_seen`. Answers all their rows.
    fn upsert(&mut self, users: &[TelegramUser]) -> QueryResult<Vec<UserRow>>;

    /// Writes the profile, `updated_at` and `active_day` of `users`, which exist.
    fn update(&mut self, users: &[&TelegramUser]) -> QueryResult<()>;

    /// Waits until no other transaction is changing the hands of usernames with these keys.
    fn lock_usernames(&mut self, keys: &[&str]) -> QueryResult<()>;

    /// Locks the rows whose username has one of these keys, and answers id, username and
    /// `last_seen` of each.
    fn holders(&mut self, keys: &[&str]) -> QueryResult<Vec<Holder>>;

    /// Takes the username from each of these users, at the time beside it.
    fn clear_usernames(&mut self, losers: &[(TelegramId, DateTime<Utc>)]) -> QueryResult<()>;
}

/// Who holds a username: id, username, `last_seen`.
type Holder = (i64, String, crate::timestamp::UtcMicros);

/// Records `interactions`, as if one after the other; see
/// [`UserRepository::register`](rollcall_repository::UserRepository::register).
pub(crate) fn register(
    connection: &mut AnyConnection,
    interactions: &[Interaction],
) -> Result<Vec<Registration>, Failure> {
    match connection {
        // Taking the write lock at once is what keeps SQLite's writers from failing half way.
        AnyConnection::Sqlite(connection) => {
            connection.immediate_transaction(|connection| record(connection, interactions))
        }
        // Said, for a server may have another default: each statement is to see what others have
        // committed by then.
        AnyConnection::Postgres(connection) => connection
            .build_transaction()
            .read_committed()
            .run(|connection| record(connection, interactions)),
    }
}

fn record(
    connection: &mut impl Statements,
    interactions: &[Interaction],
) -> Result<Vec<Registration>, Failure> {
    let mut replay = Replay::default();
    let mut active_days = HashMap::new();
    for row in connection.upsert(&as_if_new(interactions))? {
        let (previous_seen, active_day) = (row.previous_seen(), row.active_day);
        let stored = row.into_user()?;
        active_days.insert(stored.telegram_id, active_day);
        replay.add(stored, previous_seen);
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

    let Replay { mut users, losers, .. } = replay;
    let mut changed: Vec<&TelegramUser> = users
        .values()
        .filter(|Replayed { user, stored, .. }| {
            user != stored || active_days.get(&user.telegram_id) != Some(&user.active_day())
        })
        .map(|replayed| &replayed.user)
        .collect();
    if !changed.is_empty() {
        changed.sort_unstable_by_key(|user| user.telegram_id);
        connection.update(&changed)?;
    }
    if !losers.is_empty() {
        connection.clear_usernames(&losers.into_iter().collect::<Vec<_>>())?;
    }
    interactions.iter().map(|interaction| registration(&mut users, interaction)).collect()
}

/// What each user of the batch would be if it were new, sorted by id.
fn as_if_new(interactions: &[Interaction]) -> Vec<TelegramUser> {
    let mut users: BTreeMap<TelegramId, TelegramUser> = BTreeMap::new();
    for interaction in interactions {
        let id = interaction.telegram_id();
        users
            .entry(id)
            .or_insert_with(|| TelegramUser::new(id, interaction.at))
            .observe(interaction);
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

/// The answer to one interaction; the first one of a new user is the one that created it.
fn registration(
    users: &mut HashMap<TelegramId, Replayed>,
    interaction: &Interaction,
) -> Result<Registration, Failure> {
    let id = interaction.telegram_id();
    let replayed = users.get_mut(&id).ok_or_else(|| Failure::Corrupt {
        table: "telegram_users",
        column: "telegram_id",
        key: id.to_string(),
        reason: "the upsert did not answer the row".to_owned(),
    })?;
    let created = std::mem::take(&mut replayed.created);
    Ok(Registration { user: replayed.user.clone(), created })
}
