//! Fake users: emptying the database for them, and loading them.

use chrono::{DateTime, Utc};
use diesel::{Connection, connection::SimpleConnection, dsl::exists, prelude::*};
use rollcall_domain::{Facts, StartPayload, Sums};
use rollcall_repository::{History, UseCount};

use super::bulk::{LabelledHistory, store_histories, store_users};
use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{activity_state, bot_identity, telegram_users},
        transaction::Transaction,
    },
    directory::search::index::{Names, add_new},
    row::user::{label_of, origin},
    sources::change::label_all,
    statistics::{add::add_sums, minutes::store_minutes},
    users::lock::lock_database,
};

/// See [`DemoRepository::begin_demo`](rollcall_repository::DemoRepository::begin_demo).
pub(super) fn begin(connection: &mut AnyConnection) -> Result<bool, Failure> {
    Ok(connection.transaction(|connection| {
        lock_database(connection)?;
        let is_free = is_free(connection)?;
        if is_free {
            empty(connection)?;
        }
        QueryResult::Ok(is_free)
    })?)
}

/// Whether the database belongs to no bot and has no real users.
fn is_free(connection: &mut AnyConnection) -> QueryResult<bool> {
    let users = telegram_users::table.select(telegram_users::telegram_id);
    let real_users = users.filter(telegram_users::telegram_id.le(History::REAL_IDS_END));
    let found: Found = diesel::select((
        exists(bot_identity::table.select(bot_identity::only_row)),
        exists(real_users),
        exists(users),
        activity_state::table.select(activity_state::is_demo).single_value().assume_not_null(),
    ))
    .get_result(connection)?;
    Ok(!found.has_owner && !found.has_real_users && (found.is_demo || !found.has_users))
}

/// What a database has, in the order in which [`is_free`] selects it.
#[derive(Queryable)]
struct Found {
    has_owner: bool,
    has_real_users: bool,
    has_users: bool,
    is_demo: bool,
}

fn empty(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => connection.batch_execute(
            "DELETE FROM telegram_users; DELETE FROM active_days; DELETE FROM reach_history; \
             DELETE FROM starts; DELETE FROM command_uses; DELETE FROM activity_sums; \
             DELETE FROM source_sums; DELETE FROM erased_sums; DELETE FROM minute_sums; \
             DELETE FROM uncounted_users; DELETE FROM uncounted_sums; DELETE FROM sources; \
             DELETE FROM recent_updates; DELETE FROM quarantine; \
             DELETE FROM profile_changes; DELETE FROM notes; DELETE FROM search_pending; \
             DELETE FROM preferences; DELETE FROM favourite_teams; \
             DELETE FROM user_labels; DELETE FROM label_changed_users; DELETE FROM label_changes; \
             DELETE FROM segment_passes; DELETE FROM segment_sizes; \
             DELETE FROM segment_parts; DELETE FROM segment_members; \
             INSERT INTO search_grams (search_grams) VALUES ('delete-all')",
        )?,
        AnyConnection::Postgres(connection) => connection.batch_execute(
            "TRUNCATE telegram_users, active_days, reach_history, starts, command_uses, \
             activity_sums, source_sums, erased_sums, minute_sums, uncounted_users, uncounted_sums, sources, \
             recent_updates, quarantine, profile_changes, notes, search_pending, preferences, favourite_teams, \
             user_labels, label_changed_users, label_changes, search_grams, \
             segment_passes, segment_sizes, segment_parts, segment_members",
        )?,
    }
    // Counts as a recount, so that one that is running sees that the sums are not those that it read.
    diesel::update(activity_state::table)
        .set((
            activity_state::is_demo.eq(true),
            activity_state::recounts.eq(activity_state::recounts + 1),
        ))
        .execute(connection)
        .map(drop)
}

/// See [`DemoRepository::load`](rollcall_repository::DemoRepository::load).
pub(super) fn load(connection: &mut AnyConnection, people: &[History]) -> Result<(), Failure> {
    Ok(connection.transaction(|connection| {
        let labels = label_all(connection, people.iter().map(|history| &history.user))?;
        let label = |payload: &StartPayload| labels.get(payload.as_str()).copied();
        let people: Vec<LabelledHistory<'_>> =
            people.iter().map(|history| LabelledHistory::of(history, label)).collect();
        // Counting takes about as long as writing.
        let (sums, names) = std::thread::scope(|scope| {
            let users = people.iter().map(|labelled| &labelled.history.user);
            let counted = scope.spawn(|| (sums_of(&people), Names::of(users)));
            store_users(connection, &people)?;
            store_histories(connection, &people)?;
            let counted = counted.join();
            QueryResult::Ok(counted.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        add_new(connection, names)?;
        add_sums(&mut Transaction::from(connection), &sums)
    })?)
}

/// See [`DemoRepository::count_uses`](rollcall_repository::DemoRepository::count_uses).
pub(super) fn count_uses(connection: &mut AnyConnection, uses: &[UseCount]) -> Result<(), Failure> {
    let mut sums = Sums::default();
    for UseCount { figure, day, label, count } in uses {
        sums.add(*figure, *day, label.clone(), *count);
    }
    Ok(connection.transaction(|connection| add_sums(&mut Transaction::from(connection), &sums))?)
}

/// See [`DemoRepository::count_minutes`](rollcall_repository::DemoRepository::count_minutes).
pub(super) fn count_minutes(
    connection: &mut AnyConnection,
    minutes: &[(DateTime<Utc>, i64)],
) -> Result<(), Failure> {
    Ok(connection.transaction(|connection| store_minutes(connection, minutes))?)
}

fn sums_of(people: &[LabelledHistory<'_>]) -> Sums {
    let (mut sums, mut days, mut starts) = (Sums::default(), Vec::new(), Vec::new());
    for LabelledHistory { history, source_label, start_labels } in people {
        let History { user, days: active, reach_changes, starts: came, .. } = history;
        days.clear();
        days.extend(active.iter().map(|(day, _)| *day));
        starts.clear();
        starts
            .extend(came.iter().zip(start_labels).map(|((at, _), label)| (*at, label_of(*label))));
        let facts = Facts {
            origin: origin(user, *source_label),
            language_code: user.language_code.as_deref(),
            is_reachable: user.reachability.is_reachable(),
            days: &days,
            reach_changes,
            starts: &starts,
        };
        facts.add_to(&mut sums);
    }
    sums
}
