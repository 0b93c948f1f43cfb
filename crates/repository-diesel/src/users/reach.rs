//! Marking users as unreachable.

use chrono::{DateTime, Utc};
use diesel::{Connection, prelude::*};
use rollcall_domain::{
    ReachabilityChange, Sums, TelegramId, UnreachableReason, UserEvent, UserEventKind,
    UserEventKinds, add_reachability_change,
};

use super::lock::lock;
use crate::{
    base::{
        connection::AnyConnection, error::Failure, schema::telegram_users, timestamp::UtcMicros,
        transaction::Transaction,
    },
    broadcasts::responses::Responses,
    registration::histories::add_reach_row,
    row::{columns::UserRow, history::NewReachChange, user::origin},
    statistics::{add::add_sums, uncounted::is_counted},
    user_events,
};

/// See [`UserRepository::mark_unreachable`](rollcall_repository::UserRepository::mark_unreachable).
pub(crate) fn mark_unreachable(
    connection: &mut AnyConnection,
    id: TelegramId,
    obstacle: UnreachableReason,
    (at, now): (DateTime<Utc>, DateTime<Utc>),
    events: UserEventKinds,
) -> Result<bool, Failure> {
    connection.transaction(|connection| {
        if !lock(connection, id.get())? {
            return Ok(false);
        }
        let row: UserRow =
            telegram_users::table.find(id.get()).select(UserRow::as_select()).first(connection)?;
        let source_label = row.source_label;
        let user = row.into_user()?;
        if user.reachability.obstacle == Some(obstacle) || user.seen_for_certain(now) > at {
            return Ok(false);
        }
        diesel::update(telegram_users::table.find(id.get()))
            .set((
                telegram_users::obstacle.eq(obstacle.name()),
                telegram_users::blocked_at.eq(UtcMicros::from(at)),
            ))
            .execute(connection)?;
        let change = ReachabilityChange { at, obstacle: Some(obstacle) };
        let is_counted = is_counted(connection, id.get())?;
        let mut sums = Sums::default();
        let mut transaction = Transaction::from(connection);
        if add_reach_row(&mut transaction, NewReachChange::of(id, &change))? {
            add_reachability_change(&change, &mut sums);
            if obstacle == UnreachableReason::Blocked {
                let mut responses = Responses::default();
                responses.note_block(&mut transaction, id, at, false)?;
                responses.store(&mut transaction)?;
            }
        }
        let event = UserEventKind::of(&change);
        let event = event.map(|kind| UserEvent { telegram_id: id, at, kind });
        user_events::rows::record(&mut transaction, events, event.into_iter(), now)?;
        if user.reachability.is_reachable() {
            origin(&user, source_label).add_reachable(-1, &mut sums);
        }
        if is_counted {
            add_sums(&mut transaction, &sums)?;
        }
        Ok(true)
    })
}
