//! People who are made up: how the database is emptied for them, and the bulk path by which they
//! come into it.

use chrono::NaiveDate;
use diesel::{Connection, connection::SimpleConnection, dsl::exists, prelude::*};
use rollcall_domain::{
    Facts, Figure, LatestDay, ReachabilityChange, StartPayload, Sums, UnreachableReason, Username,
};
use rollcall_repository::History;

use crate::{
    activity::add_sums,
    connection::AnyConnection,
    directory::search::{self, Names},
    error::Failure,
    reach::{ReachRow, reach_row},
    row::{label_of, origin},
    schema::{active_days, activity_state, bot_identity, reach_history, starts, telegram_users},
    sources::label_all,
    timestamp::UtcMicros,
};

/// See [`DemoRepository::begin_demo`](rollcall_repository::DemoRepository::begin_demo).
pub(crate) fn begin(connection: &mut AnyConnection) -> Result<bool, Failure> {
    Ok(connection.transaction(|connection| {
        shut_others_out(connection)?;
        let is_free = is_free(connection)?;
        if is_free {
            empty(connection)?;
        }
        QueryResult::Ok(is_free)
    })?)
}

/// Lets nobody claim the database, or come into it, before the transaction is over.
pub(crate) fn shut_others_out(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        // A statement that writes makes the transaction SQLite's only writer.
        AnyConnection::Sqlite(connection) => {
            connection.batch_execute("UPDATE activity_state SET is_demo = is_demo")
        }
        AnyConnection::Postgres(connection) => connection
            .batch_execute("LOCK TABLE bot_identity, telegram_users IN SHARE ROW EXCLUSIVE MODE"),
    }
}

/// Whether the database is no bot's, and nobody real is in it.
fn is_free(connection: &mut AnyConnection) -> QueryResult<bool> {
    let users = telegram_users::table.select(telegram_users::telegram_id);
    let real_users = users.filter(telegram_users::telegram_id.le(History::REAL_IDS_END));
    let (has_owner, has_real, has_users, is_demo): (bool, bool, bool, bool) = diesel::select((
        exists(bot_identity::table.select(bot_identity::only_row)),
        exists(real_users),
        exists(users),
        activity_state::table.select(activity_state::is_demo).single_value().assume_not_null(),
    ))
    .get_result(connection)?;
    Ok(!has_owner && !has_real && (is_demo || !has_users))
}

fn empty(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => connection.batch_execute(
            "DELETE FROM telegram_users; DELETE FROM active_days; DELETE FROM reach_history; \
             DELETE FROM starts; DELETE FROM activity_sums; DELETE FROM source_sums; \
             DELETE FROM erased_sums; DELETE FROM sources; DELETE FROM recent_updates; DELETE FROM quarantine; \
             DELETE FROM profile_changes; DELETE FROM notes; DELETE FROM search_pending; \
             DELETE FROM preferences; DELETE FROM favourite_teams; \
             INSERT INTO search_grams (search_grams) VALUES ('delete-all')",
        )?,
        AnyConnection::Postgres(connection) => connection.batch_execute(
            "TRUNCATE telegram_users, active_days, reach_history, starts, activity_sums, \
             source_sums, erased_sums, sources, recent_updates, quarantine, profile_changes, notes, \
             search_pending, preferences, favourite_teams, search_grams",
        )?,
    }
    // The sums are those of nobody, which is right: a recount that is under way is to see that they
    // are no longer the ones that it read.
    diesel::update(activity_state::table)
        .set((
            activity_state::is_demo.eq(true),
            activity_state::recounts.eq(activity_state::recounts + 1),
        ))
        .execute(connection)
        .map(drop)
}

/// See [`DemoRepository::load`](rollcall_repository::DemoRepository::load).
pub(crate) fn load(connection: &mut AnyConnection, people: &[History]) -> Result<(), Failure> {
    Ok(connection.transaction(|connection| {
        let labels = label_all(connection, people.iter().map(|history| &history.user))?;
        let label = |payload: &StartPayload| labels.get(payload.as_str()).copied();
        let people: Vec<Labelled<'_>> =
            people.iter().map(|history| Labelled::of(history, label)).collect();
        // Summing up takes about as long as writing.
        let (sums, names) = std::thread::scope(|scope| {
            let users = people.iter().map(|labelled| &labelled.history.user);
            let counted = scope.spawn(|| (sums_of(&people), Names::of(users)));
            store_users(connection, &people)?;
            store_histories(connection, &people)?;
            let counted = counted.join();
            QueryResult::Ok(counted.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        search::add_new(connection, names)?;
        add_sums(connection, &sums)
    })?)
}

/// See [`DemoRepository::count_uses`](rollcall_repository::DemoRepository::count_uses).
pub(crate) fn count_uses(
    connection: &mut AnyConnection,
    uses: &[(Figure, NaiveDate, &'static str, i64)],
) -> Result<(), Failure> {
    let mut sums = Sums::default();
    for &(figure, day, label, value) in uses {
        sums.add(figure, day, label.into(), value);
    }
    Ok(connection.transaction(|connection| add_sums(connection, &sums))?)
}

/// Somebody who is to be stored, and the numbers of the labels under which deep links count.
pub(crate) struct Labelled<'a> {
    pub(crate) history: &'a History,
    /// That of the user's source.
    pub(crate) source_label: Option<i32>,
    /// Those of the starts, in their order.
    pub(crate) start_labels: Vec<Option<i32>>,
}

impl<'a> Labelled<'a> {
    fn of(history: &'a History, label: impl Fn(&StartPayload) -> Option<i32>) -> Self {
        Self {
            history,
            source_label: history.user.source.as_ref().and_then(&label),
            start_labels: history.starts.iter().map(|(_, payload)| label(payload)).collect(),
        }
    }
}

fn sums_of(people: &[Labelled<'_>]) -> Sums {
    let (mut sums, mut days, mut starts) = (Sums::default(), Vec::new(), Vec::new());
    for Labelled { history, source_label, start_labels } in people {
        let History { user, days: active, reach_changes, starts: came } = history;
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

/// Inserts users with their days, in bulk: on SQLite a statement a row, prepared once, for there that
/// costs no round trip; on PostgreSQL the rows of each table travel in one stream.
pub(crate) fn store_users(
    connection: &mut AnyConnection,
    people: &[Labelled<'_>],
) -> QueryResult<()> {
    let users: Vec<UserRow<'_>> = people.iter().filter_map(UserRow::of).collect();
    let days: Vec<DayRow> = people.iter().flat_map(|it| past_days(it.history)).collect();
    match connection {
        AnyConnection::Sqlite(connection) => {
            for row in &users {
                diesel::insert_into(telegram_users::table).values(row).execute(connection)?;
            }
            for row in &days {
                diesel::insert_into(active_days::table).values(row).execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            diesel::copy_from(telegram_users::table).from_insertable(&users).execute(connection)?;
            diesel::copy_from(active_days::table).from_insertable(&days).execute(connection)?;
        }
    }
    Ok(())
}

/// Inserts the rest of what is known of them, in the same way.
fn store_histories(connection: &mut AnyConnection, people: &[Labelled<'_>]) -> QueryResult<()> {
    let reach: Vec<ReachRow> = people.iter().flat_map(|it| reach_rows(it.history)).collect();
    let came: Vec<StartRow<'_>> = people.iter().flat_map(start_rows).collect();
    match connection {
        AnyConnection::Sqlite(connection) => {
            for row in &reach {
                diesel::insert_into(reach_history::table).values(row).execute(connection)?;
            }
            for row in &came {
                diesel::insert_into(starts::table).values(row).execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            diesel::copy_from(reach_history::table).from_insertable(&reach).execute(connection)?;
            diesel::copy_from(starts::table).from_insertable(&came).execute(connection)?;
        }
    }
    Ok(())
}

/// A user with the latest day of activity, as a row to insert.
#[derive(Insertable)]
#[diesel(table_name = telegram_users, treat_none_as_default_value = false)]
struct UserRow<'a> {
    telegram_id: i64,
    first_name: &'a str,
    last_name: Option<&'a str>,
    username: Option<&'a str>,
    language_code: Option<&'a str>,
    is_bot: bool,
    created_at: UtcMicros,
    updated_at: UtcMicros,
    last_seen: UtcMicros,
    profile_seen: Option<UtcMicros>,
    active_day: NaiveDate,
    has_private_chat: bool,
    obstacle: Option<&'static str>,
    blocked_at: Option<UtcMicros>,
    unblocked_at: Option<UtcMicros>,
    source: Option<&'a str>,
    source_label: Option<i32>,
    day_interactions: i32,
    days_of_month: i16,
    active_days: i32,
}

impl<'a> UserRow<'a> {
    /// `None` for somebody who was never active, whom there is not.
    fn of(&Labelled { history, source_label, .. }: &Labelled<'a>) -> Option<Self> {
        let History { user, days, .. } = history;
        let (&(first, interactions), later) = days.split_first()?;
        let latest = later
            .iter()
            .fold(LatestDay::first(first, stored(interactions)), |latest, &(day, interactions)| {
                latest.followed_by(day, stored(interactions))
            });
        Some(Self {
            telegram_id: user.telegram_id.get(),
            first_name: &user.first_name,
            last_name: user.last_name.as_deref(),
            username: user.username.as_ref().map(Username::as_str),
            language_code: user.language_code.as_deref(),
            is_bot: user.is_bot,
            created_at: user.created_at.into(),
            updated_at: user.updated_at.into(),
            last_seen: user.last_seen.into(),
            profile_seen: user.profile_seen.map(Into::into),
            active_day: latest.day,
            has_private_chat: user.reachability.has_private_chat,
            obstacle: user.reachability.obstacle.map(UnreachableReason::name),
            blocked_at: user.reachability.blocked_at.map(Into::into),
            unblocked_at: user.reachability.unblocked_at.map(Into::into),
            source: user.source.as_ref().map(StartPayload::as_str),
            source_label,
            day_interactions: latest.interactions,
            days_of_month: i16::try_from(latest.days_of_month).unwrap_or(i16::MAX),
            active_days: i32::try_from(latest.days_ever).unwrap_or(i32::MAX),
        })
    }
}

/// A day of a user's activity, as a row to insert.
#[derive(Insertable)]
#[diesel(table_name = active_days, treat_none_as_default_value = false)]
struct DayRow {
    telegram_id: i64,
    day: NaiveDate,
    interactions: i32,
}

/// The days of activity but the latest.
fn past_days(History { user, days, .. }: &History) -> impl Iterator<Item = DayRow> {
    let telegram_id = user.telegram_id.get();
    let past = days.split_last().map_or(&[][..], |(_, past)| past);
    past.iter().map(move |&(day, interactions)| DayRow {
        telegram_id,
        day,
        interactions: stored(interactions),
    })
}

fn stored(interactions: u32) -> i32 {
    interactions.try_into().unwrap_or(i32::MAX)
}

fn reach_rows(History { user, reach_changes, .. }: &History) -> impl Iterator<Item = ReachRow> {
    reach_changes.iter().map(|&change: &ReachabilityChange| reach_row(user.telegram_id, change))
}

/// That a user came by a deep link, as a row to insert.
#[derive(Insertable)]
#[diesel(table_name = starts, treat_none_as_default_value = false)]
struct StartRow<'a> {
    telegram_id: i64,
    at: UtcMicros,
    payload: &'a str,
    label: Option<i32>,
}

fn start_rows<'a>(
    Labelled { history, start_labels, .. }: &Labelled<'a>,
) -> impl Iterator<Item = StartRow<'a>> {
    let History { user, starts, .. } = *history;
    starts.iter().zip(start_labels.clone()).map(|((at, payload), label)| StartRow {
        telegram_id: user.telegram_id.get(),
        at: (*at).into(),
        payload: payload.as_str(),
        label,
    })
}
