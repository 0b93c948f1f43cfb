//! Which process works on a change, and how far the change is.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    dsl::{max, min},
    prelude::*,
};
use rollcall_domain::{Admin, TelegramId};
use rollcall_repository::{LabelChange, LabelChangeState};

use super::row::stored;
use crate::base::{
    connection::AnyConnection,
    schema::{label_changed_users, label_changes, telegram_users},
    timestamp::UtcMicros,
};

/// See [`LabelRepository::claim_label_change`](rollcall_repository::LabelRepository::claim_label_change).
pub(super) fn claim(
    connection: &mut AnyConnection,
    change: &LabelChange,
    by: Option<&Admin>,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    // The time changes with every claim, so that only one of two claims at the same time succeeds.
    let at = at.max(change.touched_at + TimeDelta::microseconds(1));
    let as_read = label_changes::table
        .filter(label_changes::id.eq(change.id))
        .filter(label_changes::touched_at.eq(UtcMicros::from(change.touched_at)))
        .filter(label_changes::state.eq(stored(change.state)));
    let claimed = diesel::update(as_read)
        .set((
            label_changes::touched_at.eq(UtcMicros::from(at)),
            label_changes::admin.eq(by.map(Admin::to_string)),
        ))
        .execute(connection)?;
    Ok(claimed > 0)
}

/// See [`LabelRepository::label_change_progress`](rollcall_repository::LabelRepository::label_change_progress).
pub(super) fn progress(
    connection: &mut AnyConnection,
    changes: &[LabelChange],
) -> QueryResult<BTreeMap<i64, u16>> {
    let id = telegram_users::telegram_id;
    let first: Option<i64> = telegram_users::table.select(min(id)).get_result(connection)?;
    let last: Option<i64> = telegram_users::table.select(max(id)).get_result(connection)?;
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    let mut all = BTreeMap::new();
    for change in changes {
        let place = match change.state {
            LabelChangeState::Done => Some(last),
            LabelChangeState::Running => change.last.map(TelegramId::get),
            // Undoing goes by id, and forgets the users that it has passed.
            LabelChangeState::Undoing => label_changed_users::table
                .filter(label_changed_users::change.eq(change.id))
                .select(min(label_changed_users::telegram_id))
                .get_result::<Option<i64>>(connection)?
                .map_or(Some(last), |next| Some(next - 1)),
        };
        all.insert(change.id, place.map_or(0, |place| share(first, place, last)));
    }
    Ok(all)
}

/// Which part of the ids from `first` to `last` is not after `place`, in thousandths.
fn share(first: i64, place: i64, last: i64) -> u16 {
    if place < first {
        return 0;
    }
    if place >= last {
        return 1000;
    }
    let passed = i128::from(place) - i128::from(first) + 1;
    let all = i128::from(last) - i128::from(first) + 1;
    u16::try_from(passed * 1000 / all).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_the_ids_between_the_first_and_the_last() {
        assert_eq!(share(1001, 0, 2000), 0);
        assert_eq!(share(1001, 1000, 2000), 0);
        assert_eq!(share(1001, 1500, 2000), 500);
        assert_eq!(share(1001, 1999, 2000), 999);
        assert_eq!(share(1001, 2000, 2000), 1000);
        assert_eq!(share(1001, 9999, 2000), 1000);
        assert_eq!(share(5, 5, 5), 1000);
        assert_eq!(share(1, i64::MAX - 1, i64::MAX), 999);
        assert_eq!(share(0, 0, 0), 1000, "without users there is nothing left to do");
    }
}
