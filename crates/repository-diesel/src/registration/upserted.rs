//! What the upsert returns of each user.

use diesel::prelude::*;

use crate::{
    base::{schema::telegram_users, timestamp::UtcMicros},
    row::columns::UserRow,
};

/// The row of a user after the upsert.
#[derive(Queryable, Selectable)]
#[diesel(table_name = telegram_users)]
pub(super) struct UpsertedUser {
    #[diesel(embed)]
    pub(super) user: UserRow,
    /// `last_seen` before the upsert; `None` for a new user.
    pub(super) previous_seen: Option<UtcMicros>,
    pub(super) first_hour: Option<i32>,
    pub(super) day_interactions: i32,
    pub(super) days_of_month: i16,
    pub(super) active_days: i32,
}

/// The columns of an [`UpsertedUser`].
macro_rules! upserted_columns {
    () => {
        concat!(columns!(row name), ", previous_seen, first_hour, day_interactions, days_of_month, active_days")
    };
}
pub(super) use upserted_columns;
