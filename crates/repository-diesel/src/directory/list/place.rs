use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rollcall_domain::{Cursor, ListedUser, SortKey};

use crate::{
    base::{schema::telegram_users, timestamp::UtcMicros},
    directory::order::day_number,
};

/// The place of a user in an order. Users with equal values are sorted by id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) value: i64,
    pub(super) telegram_id: i64,
}

impl Place {
    /// The place of a user in the order of a key.
    pub(super) fn of(ListedUser { user, active_days }: &ListedUser, key: SortKey) -> Self {
        let telegram_id = user.telegram_id.get();
        Self { value: key.value_of(user, *active_days), telegram_id }
    }

    /// The place that a cursor points to.
    pub(super) fn at(cursor: Cursor) -> Self {
        Self { value: cursor.value, telegram_id: cursor.telegram_id }
    }
}

/// The columns of a user that users can be sorted by.
#[derive(Queryable, Selectable)]
#[diesel(table_name = telegram_users)]
pub(super) struct PlaceRow {
    telegram_id: i64,
    created_at: UtcMicros,
    active_day: NaiveDate,
    active_days: i32,
}

impl PlaceRow {
    /// The place in the order of a key.
    pub(super) fn place(&self, key: SortKey) -> Place {
        let value = match key {
            SortKey::FirstSeen => DateTime::<Utc>::from(self.created_at).timestamp_micros(),
            SortKey::LastSeen => day_number(self.active_day),
            SortKey::ActiveDays => self.active_days.into(),
            SortKey::Id => self.telegram_id,
        };
        Place { value, telegram_id: self.telegram_id }
    }
}
