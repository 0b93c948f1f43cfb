//! Step 5: what a batch adds to the users' histories and to the sums.
//!
//! Usually users are active again on their latest day, which the upsert has counted: then only the
//! kinds of interactions are counted. Everything else happens once a day and user, or less often.

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use diesel::{
    dsl::{exists, max, min},
    pg::Pg,
    prelude::*,
    sqlite::Sqlite,
};
use rollcall_domain::{
    ActiveDay, Event, Figure, Hour, Interaction, InteractionKind, Label, LatestDay, Neighbours,
    Origin, Sums, TelegramId, UnreachableReason, add_first_hour, add_reachability_change,
    add_start, earlier_hour, month,
};

use super::{
    day_count::DayCount,
    labels::Labels,
    replay::{Replay, Replayed},
};
use crate::{
    base::{
        schema::{active_days, reach_history, starts},
        statement::statement,
        transaction::{Transaction, alike},
    },
    broadcasts::{presses::note_press, responses::Responses},
    row::{
        history::{NewDay, NewDays, NewReachChange, NewStart},
        hour::active_day,
        user::{label_of, origin},
    },
};

/// Adds to the histories, and returns what to add to the sums.
pub(super) fn add(
    connection: &mut Transaction<'_>,
    replay: &mut Replay,
    interactions: &[&Interaction],
    mut labels: Labels,
) -> QueryResult<Sums> {
    let mut shares = Shares::default();
    labels.earn(connection, replay, interactions)?;
    let counted = interactions.iter().copied();
    let counted = counted.filter(|interaction| replay.is_counted(interaction.telegram_id()));
    count_interactions(counted, &mut shares.counted);
    note_days(connection, replay, &mut shares)?;
    for replayed in replay.users.values() {
        add_state(replayed, shares.of(replayed.is_counted));
    }
    let mut responses = Responses::default();
    for &(id, change) in &replay.reach_changes {
        if add_reach_row(connection, NewReachChange::of(id, &change))? {
            add_reachability_change(&change, shares.of(replay.is_counted(id)));
            if change.obstacle == Some(UnreachableReason::Blocked) {
                responses.note_block(connection, id, change.at, true)?;
            }
        }
    }
    for (place, interaction) in interactions.iter().enumerate() {
        if let Some(Event::Start(payload)) = &interaction.event {
            let (id, at, label) =
                (interaction.telegram_id(), interaction.at, labels.at(payload, place));
            if add_start_row(connection, NewStart::of(id, at, payload, label))? {
                add_start(at, label_of(label), shares.of(replay.is_counted(id)));
            }
        }
    }
    for interaction in interactions {
        if let Some(button) = interaction.pressed {
            let (id, at) = (interaction.telegram_id(), interaction.at);
            note_press(connection, &mut responses, id, button, at)?;
        }
    }
    responses.store(connection)?;
    Ok(shares.counted)
}

/// What a batch adds to the sums, and what the users would add that the sums leave out.
#[derive(Default)]
struct Shares {
    counted: Sums,
    left_out: Sums,
}

impl Shares {
    /// The share of users that are counted or left out.
    fn of(&mut self, is_counted: bool) -> &mut Sums {
        if is_counted { &mut self.counted } else { &mut self.left_out }
    }
}

/// Counts the interactions of each kind and of each hour, and the uses of each command.
pub(super) fn count_interactions<'a>(
    interactions: impl Iterator<Item = &'a Interaction>,
    sums: &mut Sums,
) {
    let mut counts: BTreeMap<(NaiveDate, InteractionKind, Option<&'static str>), i64> =
        BTreeMap::new();
    for interaction in interactions {
        let day = interaction.at.date_naive();
        *counts.entry((day, interaction.kind, interaction.command)).or_default() += 1;
        sums.add(Figure::InteractionHour, day, Hour::of(interaction.at).into(), 1);
    }
    for ((day, kind, command), count) in counts {
        sums.add(Figure::Kind, day, kind.name().into(), count);
        if kind == InteractionKind::Command {
            sums.add(Figure::Command, day, command.map_or(Label::OTHER, Label::from), count);
        }
    }
}

/// Adds the days of activity that the upsert has not counted.
fn note_days(
    connection: &mut Transaction<'_>,
    replay: &mut Replay,
    shares: &mut Shares,
) -> QueryResult<()> {
    let has_days = |replayed: &&mut Replayed| {
        let begins_earlier = replayed
            .hour_on_stored_day()
            .zip(replayed.stored_latest.first_hour)
            .is_some_and(|(hour, stored)| hour < stored);
        replayed.created || !replayed.other_days.is_empty() || begins_earlier
    };
    let mut with_days: Vec<&mut Replayed> = replay.users.values_mut().filter(has_days).collect();
    with_days.sort_unstable_by_key(|replayed| replayed.user.telegram_id);

    let mut past = Vec::new();
    for replayed in &mut with_days {
        follow_days(replayed, &mut past, shares.of(replayed.is_counted));
    }
    if !past.is_empty() {
        add_days(connection, past)?;
    }
    // The days added just now may be neighbours of late ones.
    for replayed in with_days {
        note_late_days(connection, replayed, shares.of(replayed.is_counted))?;
    }
    Ok(())
}

fn origin_of(Replayed { stored, source_label, .. }: &Replayed) -> Origin {
    origin(stored, *source_label)
}

/// Moves a user's latest day forward, day by day, and adds those before it to `past`.
fn follow_days(replayed: &mut Replayed, past: &mut Vec<NewDay>, sums: &mut Sums) {
    let (origin, stored) = (origin_of(replayed), replayed.stored_latest);
    let mut later = replayed.other_days.split_off(&stored.day);
    let mut latest = None;
    if replayed.created {
        // The row has nothing but the latest of them.
        later.append(&mut replayed.other_days);
        later.extend(replayed.on_stored_day.map(|count| (stored.day, count)));
    } else {
        let hour = replayed.hour_on_stored_day();
        let first_hour = earlier_hour(stored.day, stored.first_hour, hour, sums);
        // If the batch has no later day, the upsert has counted them.
        let not_counted = replayed.on_stored_day.filter(|_| !later.is_empty());
        let interactions = stored.interactions + not_counted.map_or(0, |it| it.interactions);
        latest = Some(LatestDay { first_hour, interactions, ..stored });
    }
    let id = replayed.user.telegram_id.get();
    for (day, DayCount { interactions, first_hour }) in later {
        let active = ActiveDay { day, first_hour: Some(first_hour) };
        let next = latest.map_or(LatestDay::first(active, interactions), |latest| {
            past.push(NewDay::new(id, latest.active(), latest.interactions));
            latest.followed_by(active, interactions)
        });
        let neighbours = Neighbours {
            previous: latest.map(|latest| latest.day),
            next: None,
            others_of_month: next.days_of_month - 1,
        };
        origin.add_day(day, neighbours, sums);
        add_first_hour(day, Some(first_hour), 1, sums);
        latest = Some(next);
    }
    replayed.latest = latest.unwrap_or(stored);
}

/// Adds days that arrived late: they are before the user's latest.
fn note_late_days(
    connection: &mut Transaction<'_>,
    replayed: &mut Replayed,
    sums: &mut Sums,
) -> QueryResult<()> {
    let origin = origin_of(replayed);
    let Replayed { stored, latest, other_days, .. } = replayed;
    let id = stored.telegram_id;
    for (&day, &DayCount { interactions, first_hour }) in other_days.iter() {
        let active = ActiveDay { day, first_hour: Some(first_hour) };
        match late_day(connection, id, day)? {
            LateDay::Known(known) => {
                earlier_hour(day, known.first_hour, active.first_hour, sums);
            }
            LateDay::New(neighbours) => {
                let mut neighbours =
                    Neighbours { next: neighbours.next.or(Some(latest.day)), ..neighbours };
                if month(day) == month(latest.day) {
                    neighbours.others_of_month = latest.days_of_month;
                    latest.days_of_month += 1;
                }
                latest.days_ever += 1;
                origin.add_day(day, neighbours, sums);
                add_first_hour(day, active.first_hour, 1, sums);
            }
        }
        add_days(connection, vec![NewDay::new(id.get(), active, interactions)])?;
    }
    Ok(())
}

/// Counts what changed about a user.
fn add_state(replayed: &Replayed, sums: &mut Sums) {
    let origin = origin_of(replayed);
    let Replayed { user, stored, created, .. } = replayed;
    if *created {
        origin.add_user(sums);
        origin.add_language(user.language_code.as_deref(), 1, sums);
    } else if user.language_code != stored.language_code {
        origin.add_language(stored.language_code.as_deref(), -1, sums);
        origin.add_language(user.language_code.as_deref(), 1, sums);
    }
    let was_reachable = !created && stored.reachability.is_reachable();
    match (was_reachable, user.reachability.is_reachable()) {
        (false, true) => origin.add_reachable(1, sums),
        (true, false) => origin.add_reachable(-1, sums),
        _ => {}
    }
}

/// A day before a user's latest, before the batch.
enum LateDay {
    /// The user is known to have been active on it.
    Known(ActiveDay),
    New(Neighbours),
}

fn late_day(
    connection: &mut Transaction<'_>,
    id: TelegramId,
    day: NaiveDate,
) -> QueryResult<LateDay> {
    let found: DayBetween = alike!(connection => {
        let days = || active_days::table.filter(active_days::telegram_id.eq(id.get()));
        let of_month = days()
            .filter(active_days::day.ge(month(day)))
            .filter(active_days::day.lt(month(day) + Months::new(1)));
        let previous = days().filter(active_days::day.lt(day)).select(max(active_days::day));
        let next = days().filter(active_days::day.gt(day)).select(min(active_days::day));
        diesel::select((
            exists(days().filter(active_days::day.eq(day))),
            days().filter(active_days::day.eq(day)).select(active_days::first_hour).single_value(),
            previous.single_value(),
            next.single_value(),
            of_month.count().single_value().assume_not_null(),
        ))
        .get_result(connection)?
    });
    let DayBetween { is_known, first_hour, previous, next, of_month } = found;
    if is_known {
        return Ok(LateDay::Known(active_day(day, first_hour)));
    }
    let others_of_month = u32::try_from(of_month).unwrap_or_default();
    Ok(LateDay::New(Neighbours { previous, next, others_of_month }))
}

/// What the history has around a day.
#[derive(Queryable)]
struct DayBetween {
    is_known: bool,
    first_hour: Option<i32>,
    previous: Option<NaiveDate>,
    next: Option<NaiveDate>,
    of_month: i64,
}

/// Adds days, which are sorted, or the interactions to those that exist.
fn add_days(connection: &mut Transaction<'_>, days: Vec<NewDay>) -> QueryResult<()> {
    match connection {
        Transaction::Sqlite(connection) => {
            for day in days {
                AddDay { day }.execute(*connection)?;
            }
        }
        Transaction::Postgres(_) if days.is_empty() => {}
        Transaction::Postgres(connection) if connection.shards().is_some() => {
            AddDaysSharded { days: days.into_iter().collect() }.execute(connection)?;
        }
        Transaction::Postgres(connection) => {
            AddDays { days: days.into_iter().collect() }.execute(connection)?;
        }
    }
    Ok(())
}

statement! {
    struct AddDay {
        day: NewDay,
    }
    Sqlite => "
        INSERT INTO active_days (telegram_id, day, interactions, first_hour)
        VALUES (:telegram_id, :day, :interactions, :first_hour)
        ON CONFLICT (telegram_id, day) DO UPDATE SET
            interactions = interactions + excluded.interactions,
            first_hour = CASE WHEN excluded.first_hour < first_hour
                THEN excluded.first_hour ELSE first_hour END",
}

/// What an insert does instead if the day is known.
macro_rules! merge_days {
    () => {
        "
        ON CONFLICT (telegram_id, day) DO UPDATE SET
            interactions = stored.interactions + excluded.interactions,
            first_hour = CASE WHEN excluded.first_hour < stored.first_hour
                THEN excluded.first_hour ELSE stored.first_hour END"
    };
}

statement! {
    struct AddDays {
        days: NewDays,
    }
    Pg => concat!("
        INSERT INTO active_days AS stored (telegram_id, day, interactions, first_hour)
        SELECT * FROM UNNEST(:telegram_id, :day, :interactions, :first_hour)", merge_days!()),
}

statement! {
    struct AddDaysSharded {
        days: NewDays,
    }
    Pg => concat!("
        INSERT INTO active_days AS stored (telegram_id, day, interactions, first_hour)
        SELECT users.telegram_id, day, interactions, new.first_hour
        FROM telegram_users AS users
        JOIN UNNEST(:telegram_id, :day, :interactions, :first_hour)
            AS new (id, day, interactions, first_hour) ON new.id = users.telegram_id
        WHERE users.telegram_id = ANY(:telegram_id)", merge_days!()),
}

/// Adds a change of a user's reachability; returns whether it is new.
pub(crate) fn add_reach_row(
    connection: &mut Transaction<'_>,
    change: NewReachChange,
) -> QueryResult<bool> {
    let inserted = alike!(connection => diesel::insert_into(reach_history::table)
        .values(change)
        .on_conflict_do_nothing()
        .execute(connection)?);
    Ok(inserted > 0)
}

/// Adds a start by a deep link; returns whether it is new.
fn add_start_row(connection: &mut Transaction<'_>, start: NewStart<'_>) -> QueryResult<bool> {
    let inserted = alike!(connection => diesel::insert_into(starts::table)
        .values(start)
        .on_conflict_do_nothing()
        .execute(connection)?);
    Ok(inserted > 0)
}
