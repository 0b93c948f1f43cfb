//! Recording a batch of interactions in one transaction of seven steps. Each step covers all its
//! rows, sorted by key, so that several processes lock rows in one order. On PostgreSQL a step is a
//! statement or two, whatever the batch's size; on SQLite it is one statement for each row.
//!
//! 1. [`upsert`] creates new users, and moves `last_seen` of the others. That locks every row of the
//!    batch, and returns it.
//! 2. [`updates`] stores the `update_id`s. If some were recorded before, the transaction begins again
//!    without their interactions. [`suppressed`] deletes those of the new rows whose users were erased;
//!    their interactions are left out of the next steps.
//! 3. [`usernames`] locks the names that may change hands, and their holders.
//! 4. [`replay`] replays the interactions in memory, by the rules of the domain.
//! 5. [`histories`] adds rare facts: users who blocked the bot or came by a deep link, and days of
//!    activity that are past now. Then [`user_events::rows`] records what programs outside are notified of.
//! 6. [`changes`] writes what changed: rows of users, usernames that were lost, profile changes, the
//!    sums, uses of commands and buttons, and the tags of deep links.
//! 7. [`quarantine`] keeps updates that could not be read.

mod changes;
mod day_count;
pub(crate) mod histories;
mod labels;
pub(crate) mod names;
mod quarantine;
mod replay;
mod standing;
mod suppressed;
mod touch;
mod updates;
mod upsert;
mod upserted;
pub(crate) mod usernames;
mod uses;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::result::Error as DieselError;
use rollcall_domain::{
    Interaction, InteractionKind, Profile, Registration, TelegramId, TelegramUser, UserEventKinds,
    Username,
};
use rollcall_repository::Batch;

use self::{
    changes::Changes,
    labels::Labels,
    replay::{Replay, Replayed},
    suppressed::TakenOut,
    updates::KnownUpdates,
    uses::Uses,
};
use crate::{
    base::{
        connection::{AnyConnection, PgConnection},
        database::Database,
        distributed,
        error::{Failure, is_unnamed, may_be_for_others},
        free_text::FreeText,
        pooling::Sessions,
        sqlstate::{self, PgTransaction},
        suppression_key::KeySource,
        transaction::Transaction,
    },
    labels::users::change as label_users,
    row::columns::UserToStore,
    statistics::minutes::NewMinute,
    suppression::hashes,
    user_events,
};

/// Whether a batch is tried for the first time.
///
/// Which usernames change hands is known only when the rows of the batch are locked. Waiting then for
/// names or their holders could end in a deadlock, which PostgreSQL detects only after a second. So
/// the first attempt gives up instead of waiting, and the next one locks all of it ahead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    First,
    Again,
}

/// What recording depends on, besides the batch.
#[derive(Clone, Copy)]
struct Scope<'a> {
    now: DateTime<Utc>,
    attempt: Attempt,
    /// Which events are recorded.
    events: UserEventKinds,
    /// The key for the ids of erased users.
    key: &'a KeySource,
    /// Whether users are registered who are known only from messages to a business account.
    with_customers: bool,
    /// How the payloads of quarantined updates are stored.
    free_text: &'a FreeText,
}

/// Records a batch; see
/// [`UserRepository::register_while`](rollcall_repository::UserRepository::register_while).
pub(crate) fn register(
    connection: &mut AnyConnection,
    batch: &Batch,
    now: DateTime<Utc>,
    attempt: Attempt,
    is_wanted: &dyn Fn() -> bool,
    database: &Database,
) -> Result<Vec<Registration>, Failure> {
    let scope = Scope {
        now,
        attempt,
        events: database.events(),
        key: database.suppression_key(),
        with_customers: database.registers_business_customers(),
        free_text: database.free_text(),
    };
    let mut known = KnownUpdates::default();
    loop {
        let known_before = known.len();
        let recorded =
            register_new(connection, batch, scope, &mut known, is_wanted, database.sessions());
        match recorded {
            Err(Failure::Diesel(DieselError::RollbackTransaction))
                if known.len() > known_before => {}
            recorded => return recorded,
        }
    }
}

/// Records the updates that are not known. Is rolled back if more of them turn out to be known.
fn register_new(
    connection: &mut AnyConnection,
    batch: &Batch,
    scope: Scope<'_>,
    known: &mut KnownUpdates,
    is_wanted: &dyn Fn() -> bool,
    sessions: Sessions,
) -> Result<Vec<Registration>, Failure> {
    match connection {
        // Takes the write lock at once, so that no other writer makes it fail half-way.
        AnyConnection::Sqlite(connection) => connection.immediate_transaction(|connection| {
            let mut connection = Transaction::Sqlite(connection);
            if_wanted(is_wanted, record(&mut connection, batch, scope, known)?)
        }),
        AnyConnection::Postgres(connection) => {
            match register_on_postgres(connection, batch, scope, known, is_wanted, sessions) {
                // What other transactions may have caused has usually passed by the next attempt.
                Err(Failure::Diesel(error))
                    if is_unnamed(&error)
                        && (scope.attempt == Attempt::Again || !may_be_for_others(&error)) =>
                {
                    sqlstate::examine(connection, error, |mut connection| {
                        sessions.settle(&mut connection)?;
                        record(&mut Transaction::Postgres(connection), batch, scope, known)
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
    scope: Scope<'_>,
    known: &mut KnownUpdates,
    is_wanted: &dyn Fn() -> bool,
    sessions: Sessions,
) -> Result<Vec<Registration>, Failure> {
    let is_distributed = distributed::shards(connection).is_some();
    if !is_distributed && let Some(registration) = touch::touch(connection, batch)? {
        return Ok(vec![registration]);
    }
    // Set explicitly, because the server's default may differ: each statement has to see what other
    // transactions have committed.
    let mut transaction = connection.build_transaction().read_committed();
    transaction.run(|connection| {
        sessions.settle(connection)?;
        let mut connection = Transaction::Postgres(PgTransaction::new(connection));
        if_wanted(is_wanted, record(&mut connection, batch, scope, known)?)
    })
}

/// Rolls back what is no longer wanted: another thread records it, on a connection that answers.
fn if_wanted(
    is_wanted: &dyn Fn() -> bool,
    registrations: Vec<Registration>,
) -> Result<Vec<Registration>, Failure> {
    if is_wanted() { Ok(registrations) } else { Err(DieselError::RollbackTransaction.into()) }
}

/// Registers a made-up user and rolls it back; see
/// [`UserRepository::rehearse`](rollcall_repository::UserRepository::rehearse).
pub(crate) fn rehearse(
    connection: &mut AnyConnection,
    now: DateTime<Utc>,
    key: &KeySource,
) -> Result<(), Failure> {
    let rehearsed = match connection {
        AnyConnection::Sqlite(connection) => connection.immediate_transaction(|connection| {
            record_made_up(&mut Transaction::Sqlite(connection), now, key)
        }),
        AnyConnection::Postgres(connection) => {
            let mut transaction = connection.build_transaction().read_committed();
            transaction.run(|connection| {
                let connection = PgTransaction::new(connection);
                record_made_up(&mut Transaction::Postgres(connection), now, key)
            })
        }
    };
    match rehearsed {
        Err(Failure::Diesel(DieselError::RollbackTransaction)) => Ok(()),
        result => result,
    }
}

/// Creates a user whose id no account of Telegram has, and changes it the day after. Always fails, so
/// that all of it is rolled back.
fn record_made_up(
    connection: &mut Transaction<'_>,
    now: DateTime<Utc>,
    key: &KeySource,
) -> Result<(), Failure> {
    let call = |at, name| {
        let profile = Profile::new(TelegramId::MAX, name);
        vec![Interaction::new(at, profile, InteractionKind::Call)].into()
    };
    let (attempt, events) = (Attempt::First, UserEventKinds::all());
    let scope =
        Scope { now, attempt, events, key, with_customers: false, free_text: &FreeText::Plain };
    let (day_before, mut known) = (now - TimeDelta::days(1), KnownUpdates::default());
    let on_day_before = Scope { now: day_before, ..scope };
    record(connection, &call(day_before, "Made"), on_day_before, &mut known)?;
    record(connection, &call(now, "Made Up"), scope, &mut known)?;
    Err(DieselError::RollbackTransaction.into())
}

/// The transaction: steps 1 to 6 for the interactions whose updates are not known, and step 7.
fn record(
    connection: &mut Transaction<'_>,
    batch: &Batch,
    scope: Scope<'_>,
    known: &mut KnownUpdates,
) -> Result<Vec<Registration>, Failure> {
    let is_new = |interaction: &&Interaction| !known.contains(interaction);
    let new = distinct(batch.interactions.iter().filter(is_new));
    let mut recorded = match new.is_empty() {
        true => Recorded::default(),
        false => record_users(connection, &new, scope, known)?,
    };
    if !batch.quarantined.is_empty() {
        let quarantined = suppressed::without(connection, scope.key, &batch.quarantined)?;
        quarantine::keep(connection, &quarantined, scope.free_text)?;
    }
    if new.len() < batch.interactions.len() {
        add_unchanged(connection, &mut recorded, &batch.interactions, scope.key)?;
    }
    // In the order of the batch, as `new` is.
    let mut new = new.into_iter().peekable();
    let answers = batch.interactions.iter().map(|interaction| {
        let is_new = new.next_if(|it| std::ptr::eq(*it, interaction)).is_some();
        recorded.registration(interaction, !is_new)
    });
    Ok(answers.collect())
}

/// The users of a batch.
#[derive(Default)]
struct Recorded {
    users: HashMap<TelegramId, Replayed>,
    /// Those who were erased and have not agreed to be stored again.
    suppressed: BTreeSet<i64>,
}

/// Steps 1 to 6; returns all users of the batch.
fn record_users(
    connection: &mut Transaction<'_>,
    interactions: &[&Interaction],
    Scope { now, attempt, events, key, with_customers, .. }: Scope<'_>,
    known: &mut KnownUpdates,
) -> Result<Recorded, Failure> {
    let first = interactions.first().map(|it| it.telegram_id().get()).unwrap_or_default();
    let labels = Labels::read(connection, interactions)?;
    suppressed::allow_agreeing(connection, key, interactions)?;
    let seen = upsert::seen_users(interactions, now, &labels);
    if attempt == Attempt::Again {
        let users: Vec<i64> = seen.iter().map(|seen| seen.user.telegram_id.get()).collect();
        let shown = interactions.iter().filter_map(|it| it.profile.shown_username());
        let keys: BTreeSet<String> = shown.map(Username::key).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        usernames::lock_ahead(connection, &users, &keys)?;
    }
    let mut rows = upsert::upsert(connection, &seen)?;
    if updates::remember(connection, interactions, now, known)? {
        return Err(DieselError::RollbackTransaction.into());
    }
    let customers = match with_customers {
        true => BTreeSet::new(),
        false => suppressed::customers(interactions),
    };
    let TakenOut { users: taken, suppressed } =
        suppressed::take_out(connection, key, &customers, &mut rows)?;
    let (anonymous, stored) = apart(interactions, &taken);
    let interactions = stored.as_slice();
    let tagged = labels.tagged(interactions);
    let mut replay = Replay::default();
    for row in rows {
        replay.add(row)?;
    }

    let contested = replay.contested(interactions);
    if !contested.is_empty() {
        let keys: Vec<&str> = contested.iter().map(String::as_str).collect();
        if !usernames::lock(connection, &keys)? {
            return Err(Failure::GaveWay);
        }
        // Read after the rows of the batch and the names are locked: only then does the statement
        // see what other processes have committed.
        replay.add_holders(&contested, usernames::holders(connection, &keys)?, now)?;
    }

    for interaction in interactions {
        replay.observe(interaction, now);
    }
    usernames::hold(connection, replay.owners(&contested))?;

    let mut sums = histories::add(connection, &mut replay, interactions, labels)?;
    histories::count_interactions(anonymous.iter().copied(), &mut sums);
    if !events.is_empty() {
        user_events::rows::record(connection, events, replay.events(), now)?;
    }
    let counted = interactions.iter().copied();
    let counted = counted.filter(|interaction| replay.is_counted(interaction.telegram_id()));
    let minutes = NewMinute::of(counted.chain(anonymous), now);

    let renamed = replay.renamed();
    let Replay { users, losers, profile_changes, .. } = replay;
    changes::write(
        connection,
        &Changes {
            users: changed_users(&users),
            losers: losers.into_iter().collect(),
            sums,
            minutes,
            uses: Uses::of(interactions),
            renamed,
            profiles: &profile_changes,
            someone: first,
        },
    )?;
    for (tag, users) in tagged {
        label_users(connection, tag, &users.into_iter().collect::<Vec<_>>(), true)?;
    }
    Ok(Recorded { users, suppressed })
}

/// The interactions of users who are not stored, as far as the sums count them, and those of all others.
fn apart<'a>(
    interactions: &[&'a Interaction],
    taken: &BTreeMap<i64, bool>,
) -> (Vec<&'a Interaction>, Vec<&'a Interaction>) {
    if taken.is_empty() {
        return (Vec::new(), interactions.to_vec());
    }
    let (mut anonymous, mut others) = (Vec::new(), Vec::new());
    for &interaction in interactions {
        match taken.get(&interaction.telegram_id().get()) {
            None => others.push(interaction),
            Some(true) => anonymous.push(interaction),
            Some(false) => {}
        }
    }
    (anonymous, others)
}

/// The users whose rows have to be updated, sorted by id.
fn changed_users(users: &HashMap<TelegramId, Replayed>) -> Vec<UserToStore<'_>> {
    let changed = users.values().filter(|replayed| replayed.has_changed());
    let mut changed: Vec<UserToStore<'_>> = changed
        .map(|Replayed { user, source_label, latest, .. }| UserToStore {
            user,
            source_label: *source_label,
            latest: *latest,
        })
        .collect();
    changed.sort_unstable_by_key(|it| it.user.telegram_id);
    changed
}

/// Leaves out updates that a batch repeats.
fn distinct<'a>(interactions: impl Iterator<Item = &'a Interaction>) -> Vec<&'a Interaction> {
    let mut seen = BTreeSet::new();
    interactions
        .filter(|interaction| interaction.update_id.is_none_or(|update_id| seen.insert(update_id)))
        .collect()
}

/// Adds the users that only known updates are about, as they are stored.
fn add_unchanged(
    connection: &mut Transaction<'_>,
    Recorded { users, suppressed }: &mut Recorded,
    interactions: &[Interaction],
    key: &KeySource,
) -> Result<(), Failure> {
    let mut absent: BTreeSet<i64> = interactions
        .iter()
        .map(Interaction::telegram_id)
        .filter(|id| !users.contains_key(id) && !suppressed.contains(&id.get()))
        .map(TelegramId::get)
        .collect();
    for row in standing::read(connection, &absent.iter().copied().collect::<Vec<_>>())? {
        absent.remove(&row.telegram_id);
        let source_label = row.source_label;
        let user = row.into_user()?;
        users.insert(user.telegram_id, Replayed::unchanged(user, source_label));
    }
    let absent: Vec<i64> = absent.into_iter().collect();
    suppressed.append(&mut hashes::suppressed(connection, key, &absent)?);
    Ok(())
}

impl Recorded {
    /// The answer to one interaction; only the first one of a new user counts as the one that created it.
    fn registration(&mut self, interaction: &Interaction, repeated: bool) -> Registration {
        let id = interaction.telegram_id();
        let Some(replayed) = self.users.get_mut(&id) else {
            // A user who is not stored, or a known update of one that was deleted meanwhile.
            let user = TelegramUser::created_by(interaction);
            let suppressed = self.suppressed.contains(&id.get());
            return Registration { user, created: false, repeated, suppressed, stored: false };
        };
        let created = std::mem::take(&mut replayed.created);
        let user = replayed.user.clone();
        Registration { user, created, repeated, suppressed: false, stored: true }
    }
}
