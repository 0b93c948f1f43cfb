//! What the upsert returns of each user.

use diesel::{dsl::sql, expression::SqlLiteral, prelude::*, sql_types::Bool};

use crate::{
    base::{schema::telegram_users, timestamp::UtcMicros},
    row::columns::UserRow,
};

/// Whether the sums count a user. On PostgreSQL, [`lock_database`](crate::users::lock::lock_database)
/// keeps that from changing between the locking of a row and the end of the transaction.
macro_rules! is_counted {
    () => {
        "telegram_id NOT IN (SELECT telegram_id FROM uncounted_users)"
    };
}
pub(super) use is_counted;

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
    /// Whether the sums count the user.
    #[diesel(
        select_expression = sql::<Bool>(is_counted!()),
        select_expression_type = SqlLiteral<Bool>
    )]
    pub(super) is_counted: bool,
}

impl UpsertedUser {
    pub(super) fn id(&self) -> i64 {
        self.user.telegram_id
    }

    /// Whether the batch inserted the row.
    pub(super) fn is_new(&self) -> bool {
        self.previous_seen.is_none()
    }
}

/// The columns of an [`UpsertedUser`].
macro_rules! upserted_columns {
    () => {
        concat!(upserted_columns!(stored), ", ", is_counted!())
    };
    // Those that the row has.
    (stored) => {
        concat!(
            columns!(row name),
            ", previous_seen, first_hour, day_interactions, days_of_month, active_days"
        )
    };
}
pub(super) use upserted_columns;
