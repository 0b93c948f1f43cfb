//! Inserting many users at once: on SQLite by a statement for each row, because that costs no round
//! trip; on PostgreSQL the rows of each table travel in one stream.

use diesel::prelude::*;
use rollcall_domain::{LatestDay, StartPayload};
use rollcall_repository::History;

use crate::{
    base::{
        connection::{AnyConnection, copy_from},
        schema::{active_days, command_uses, reach_history, starts, telegram_users},
    },
    row::{
        columns::{NewUser, UserToStore},
        command_use::NewUse,
        history::{NewDay, NewReachChange, NewStart},
    },
};

/// A user to store, and the numbers of the labels that deep links count under.
pub(super) struct LabelledHistory<'a> {
    pub(super) history: &'a History,
    /// The label of the user's source.
    pub(super) source_label: Option<i32>,
    /// The labels of the starts, in their order.
    pub(super) start_labels: Vec<Option<i32>>,
}

impl<'a> LabelledHistory<'a> {
    pub(super) fn of(history: &'a History, label: impl Fn(&StartPayload) -> Option<i32>) -> Self {
        Self {
            history,
            source_label: history.user.source.as_ref().and_then(&label),
            start_labels: history.starts.iter().map(|(_, payload)| label(payload)).collect(),
        }
    }

    /// `None` for a user that was never active: such users do not exist.
    fn user(&self) -> Option<NewUser<'a>> {
        let History { user, days, .. } = self.history;
        let (&(first, interactions), later) = days.split_first()?;
        let first = LatestDay::first(first, stored(interactions));
        let latest = later.iter().fold(first, |latest, &(day, interactions)| {
            latest.followed_by(day, stored(interactions))
        });
        Some(UserToStore { user, source_label: self.source_label, latest }.into())
    }

    /// The days of activity before the latest.
    fn past_days(&self) -> impl Iterator<Item = NewDay> {
        let History { user, days, .. } = self.history;
        let telegram_id = user.telegram_id.get();
        let past = days.split_last().map_or(&[][..], |(_, past)| past);
        past.iter()
            .map(move |&(day, interactions)| NewDay::new(telegram_id, day, stored(interactions)))
    }

    fn reach_changes(&self) -> impl Iterator<Item = NewReachChange> {
        let History { user, reach_changes, .. } = self.history;
        reach_changes.iter().map(|change| NewReachChange::of(user.telegram_id, change))
    }

    fn starts(&self) -> impl Iterator<Item = NewStart<'a>> {
        let History { user, starts, .. } = self.history;
        let labels = self.start_labels.iter();
        let starts = starts.iter().zip(labels.copied().collect::<Vec<_>>());
        starts.map(|((at, payload), label)| NewStart::of(user.telegram_id, *at, payload, label))
    }

    fn uses(&self) -> impl Iterator<Item = NewUse<'a>> {
        let History { user, uses, .. } = self.history;
        uses.iter().map(|of| NewUse::of(user.telegram_id, of))
    }
}

fn stored(interactions: u32) -> i32 {
    interactions.try_into().unwrap_or(i32::MAX)
}

/// Inserts users with their days.
pub(super) fn store_users(
    connection: &mut AnyConnection,
    users: &[LabelledHistory<'_>],
) -> QueryResult<()> {
    let rows: Vec<NewUser<'_>> = users.iter().filter_map(LabelledHistory::user).collect();
    let days: Vec<NewDay> = users.iter().flat_map(LabelledHistory::past_days).collect();
    match connection {
        AnyConnection::Sqlite(connection) => {
            for row in &rows {
                diesel::insert_into(telegram_users::table).values(row).execute(connection)?;
            }
            for row in &days {
                diesel::insert_into(active_days::table).values(row).execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            copy_from(telegram_users::table).from_insertable(&rows).execute(connection)?;
            copy_from(active_days::table).from_insertable(&days).execute(connection)?;
        }
    }
    Ok(())
}

/// Inserts the other histories of users.
pub(super) fn store_histories(
    connection: &mut AnyConnection,
    users: &[LabelledHistory<'_>],
) -> QueryResult<()> {
    let changes: Vec<_> = users.iter().flat_map(LabelledHistory::reach_changes).collect();
    let came: Vec<_> = users.iter().flat_map(LabelledHistory::starts).collect();
    let uses: Vec<_> = users.iter().flat_map(LabelledHistory::uses).collect();
    match connection {
        AnyConnection::Sqlite(connection) => {
            for row in &changes {
                diesel::insert_into(reach_history::table).values(row).execute(connection)?;
            }
            for row in &came {
                diesel::insert_into(starts::table).values(row).execute(connection)?;
            }
            for row in &uses {
                diesel::insert_into(command_uses::table).values(row).execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            copy_from(reach_history::table).from_insertable(&changes).execute(connection)?;
            copy_from(starts::table).from_insertable(&came).execute(connection)?;
            copy_from(command_uses::table).from_insertable(&uses).execute(connection)?;
        }
    }
    Ok(())
}
