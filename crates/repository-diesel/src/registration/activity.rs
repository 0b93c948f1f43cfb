//! What a batch adds to the facts and sums about activity.
//!
//! As a rule users are there again on the day that is their latest already, which the upsert has
//! counted: then there is nothing to do but to count the kinds of interactions. What else there may
//! be to do, each user does once a day or less often.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::QueryResult;
use rollcall_domain::{
    Event, Figure, Interaction, InteractionKind, Label, LatestDay, Neighbours, Origin, Sums,
    add_reachability_change, add_start, month,
};

use super::{
    ActiveDay, PastDay, Statements,
    labels::Labels,
    replay::{Replay, Replayed},
};
use crate::row;

/// Notes the facts, and answers what is to be added to the sums.
pub(super) fn note(
    connection: &mut impl Statements,
    replay: &mut Replay,
    interactions: &[&Interaction],
    mut labels: Labels,
) -> QueryResult<Sums> {
    let mut sums = Sums::default();
    labels.earn(connection, replay, interactions)?;
    count_interactions(interactions, &mut sums);
    note_days(connection, replay, &mut sums)?;
    for replayed in replay.users.values() {
        add_state(replayed, &mut sums);
    }
    for &(id, change) in &replay.reach_changes {
        if connection.note_reach(id, change)? {
            add_reachability_change(&change, &mut sums);
        }
    }
    for (place, interaction) in interactions.iter().enumerate() {
        if let Some(Event::Start(payload)) = &interaction.event {
            let (id, at, label) =
                (interaction.telegram_id(), interaction.at, labels.at(payload, place));
            if connection.note_start(id, at, payload, label)? {
                add_start(at, row::label_of(label), &mut sums);
            }
        }
    }
    Ok(sums)
}

/// Counts the interactions of each kind, and the uses of each command.
fn count_interactions(interactions: &[&Interaction], sums: &mut Sums) {
    let mut counts: BTreeMap<(NaiveDate, InteractionKind, Option<&'static str>), i64> =
        BTreeMap::new();
    for interaction in interactions {
        let key = (interaction.at.date_naive(), interaction.kind, interaction.command);
        *counts.entry(key).or_default() += 1;
    }
    for ((day, kind, command), count) in counts {
        sums.add(Figure::Kind, day, kind.name().into(), count);
        if kind == InteractionKind::Command {
            sums.add(Figure::Command, day, command.map_or(Label::OTHER, Label::from), count);
        }
    }
}

/// Notes the days of activity that the upsert has not counted.
fn note_days(
    connection: &mut impl Statements,
    replay: &mut Replay,
    sums: &mut Sums,
) -> QueryResult<()> {
    let elsewhere = |replayed: &&mut Replayed| replayed.created || !replayed.other_days.is_empty();
    let mut with_days: Vec<&mut Replayed> = replay.users.values_mut().filter(elsewhere).collect();
    with_days.sort_unstable_by_key(|replayed| replayed.user.telegram_id);

    let mut past = Vec::new();
    for replayed in &mut with_days {
        follow_days(replayed, &mut past, sums);
    }
    if !past.is_empty() {
        connection.add_days(&past)?;
    }
    // Late ones are looked for among the days that were noted just now, too.
    for replayed in with_days {
        note_late_days(connection, replayed, sums)?;
    }
    Ok(())
}

fn origin(Replayed { stored, source_label, .. }: &Replayed) -> Origin {
    row::origin(stored, *source_label)
}

/// Moves a user's latest day forward, day by day; those that become past ones are added to `past`.
fn follow_days(replayed: &mut Replayed, past: &mut Vec<ActiveDay>, sums: &mut Sums) {
    let (origin, stored) = (origin(replayed), replayed.stored_latest);
    let mut later = replayed.other_days.split_off(&stored.day);
    let mut latest = Some(stored);
    if replayed.created {
        // The row has nothing but the latest of them.
        later.append(&mut replayed.other_days);
        later.insert(stored.day, replayed.on_stored_day);
        latest = None;
    } else if !later.is_empty() {
        latest = Some(LatestDay {
            interactions: stored.interactions + replayed.on_stored_day,
            ..stored
        });
    }
    let id = replayed.user.telegram_id;
    for (day, interactions) in later {
        let next = latest.map_or(LatestDay::first(day, interactions), |latest| {
            past.push((id, latest.day, latest.interactions));
            latest.followed_by(day, interactions)
        });
        let neighbours = Neighbours {
            previous: latest.map(|latest| latest.day),
            next: None,
            others_of_month: next.days_of_month - 1,
        };
        origin.add_day(day, neighbours, sums);
        latest = Some(next);
    }
    replayed.latest = latest.unwrap_or(stored);
}

/// Notes days that are before the user's latest, and came late.
fn note_late_days(
    connection: &mut impl Statements,
    replayed: &mut Replayed,
    sums: &mut Sums,
) -> QueryResult<()> {
    let origin = origin(replayed);
    let Replayed { stored, latest, other_days, .. } = replayed;
    let id = stored.telegram_id;
    for (&day, &interactions) in other_days.iter() {
        if let PastDay::Between(neighbours) = connection.past_day(id, day)? {
            let mut neighbours =
                Neighbours { next: neighbours.next.or(Some(latest.day)), ..neighbours };
            if month(day) == month(latest.day) {
                neighbours.others_of_month = latest.days_of_month;
                latest.days_of_month += 1;
            }
            latest.days_ever += 1;
            origin.add_day(day, neighbours, sums);
        }
        connection.add_days(&[(id, day, interactions)])?;
    }
    Ok(())
}

/// Adds what changed of what a user is.
fn add_state(replayed: &Replayed, sums: &mut Sums) {
    let origin = origin(replayed);
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
