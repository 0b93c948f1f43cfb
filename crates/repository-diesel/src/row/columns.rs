//! The columns of `telegram_users`, each written once.
//!
//! `user_columns!` passes them to another macro. Everything that names all columns of a user is
//! generated from it: the row that is inserted, the row that is read, and the lists within SQL.

use diesel::{
    Insertable, Queryable, Selectable,
    pg::Pg,
    sql_types::{BigInt, Bool, Date, Integer, Nullable, SmallInt, Text, Timestamp},
    sqlite::Sqlite,
};
use rollcall_domain::{LatestDay, StartPayload, TelegramUser, UnreachableReason, Username};

use super::hour::stored_hour;
use crate::base::{
    schema::telegram_users,
    statement::rows,
    timestamp::{Day, UtcMicros},
};

/// The columns, in three groups: those that never change or that the upsert moves, those that
/// describe the user, and those of the user's latest day of activity. Each has its SQL type and how
/// its value follows from what is stored.
macro_rules! user_columns {
    ([$($then:tt)*] $($input:tt)*) => {
        $($then)*! { [$($input)*]
            once {
                telegram_id [BigInt] = |it| it.user.telegram_id.get();
                created_at [Timestamp] = |it| it.user.created_at.into();
                last_seen [Timestamp] = |it| it.user.last_seen.into();
                source [Nullable<Text>] = |it| it.user.source.as_ref().map(StartPayload::as_str);
                source_label [Nullable<Integer>] = |it| it.source_label;
            }
            changing {
                first_name [Text] = |it| it.user.first_name.as_str();
                last_name [Nullable<Text>] = |it| it.user.last_name.as_deref();
                username [Nullable<Text>] = |it| it.user.username.as_ref().map(Username::as_str);
                language_code [Nullable<Text>] = |it| it.user.language_code.as_deref();
                is_bot [Bool] = |it| it.user.is_bot;
                updated_at [Timestamp] = |it| it.user.updated_at.into();
                profile_seen [Nullable<Timestamp>] = |it| it.user.profile_seen.map(Into::into);
                has_private_chat [Bool] = |it| it.user.reachability.has_private_chat;
                obstacle [Nullable<Text>] = |it| it.user.reachability.obstacle.map(UnreachableReason::name);
                blocked_at [Nullable<Timestamp>] = |it| it.user.reachability.blocked_at.map(Into::into);
                unblocked_at [Nullable<Timestamp>] = |it| it.user.reachability.unblocked_at.map(Into::into);
            }
            day {
                active_day [Date] = |it| it.latest.day.into();
                first_hour [Nullable<Integer>] = |it| stored_hour(it.latest.day, it.latest.first_hour);
                day_interactions [Integer] = |it| it.latest.interactions;
                days_of_month [SmallInt] = |it| small(it.latest.days_of_month);
                active_days [Integer] = |it| integer(it.latest.days_ever);
            }
        }
    };
}

fn small(days: u32) -> i16 {
    days.try_into().unwrap_or(i16::MAX)
}

fn integer(days: u32) -> i32 {
    days.try_into().unwrap_or(i32::MAX)
}

/// A user to store.
#[derive(Clone, Copy)]
pub(crate) struct UserToStore<'a> {
    pub(crate) user: &'a TelegramUser,
    /// The number of the label that the user's source counts under.
    pub(crate) source_label: Option<i32>,
    pub(crate) latest: LatestDay,
}

/// The Rust type of a column that is written.
macro_rules! written {
    (BigInt) => { i64 };
    (Integer) => { i32 };
    (SmallInt) => { i16 };
    (Bool) => { bool };
    (Text) => { &'a str };
    (Date) => { Day };
    (Timestamp) => { UtcMicros };
    (Nullable<$type:ident>) => { Option<written!($type)> };
}

/// The Rust type of a column that is read.
macro_rules! read {
    (BigInt) => { i64 };
    (Integer) => { i32 };
    (Bool) => { bool };
    (Text) => { String };
    (Timestamp) => { UtcMicros };
    (Nullable<$type:ident>) => { Option<read!($type)> };
}

macro_rules! declare_new_user {
    (
        [] $($group:ident { $($column:ident [$($sql:tt)*] = $value:expr;)* })*
    ) => {
        rows! {
            /// All columns of a user, as a row to insert.
            #[derive(Insertable)]
            #[diesel(table_name = telegram_users, treat_none_as_default_value = false)]
            pub(crate) struct NewUser<'a>, NewUsers {
                $($($column: written!($($sql)*) as $($sql)*,)*)*
            }
        }

        impl<'a> From<UserToStore<'a>> for NewUser<'a> {
            fn from(user: UserToStore<'a>) -> Self {
                Self { $($($column: value(user, $value),)*)* }
            }
        }
    };
}
user_columns!([declare_new_user]);

/// The value of a column.
fn value<'a, T>(user: UserToStore<'a>, column: impl FnOnce(UserToStore<'a>) -> T) -> T {
    column(user)
}

macro_rules! declare_user_row {
    (
        []
        once { $($once:ident [$($once_sql:tt)*] = $once_value:expr;)* }
        changing { $($changing:ident [$($changing_sql:tt)*] = $changing_value:expr;)* }
        day { $($day:tt)* }
    ) => {
        /// A user as its row describes it. `into_user` is in [`user`](super::user).
        #[derive(Debug, Queryable, Selectable)]
        #[diesel(table_name = telegram_users)]
        pub(crate) struct UserRow {
            $(pub(crate) $once: read!($($once_sql)*),)*
            $(pub(crate) $changing: read!($($changing_sql)*),)*
        }
    };
}
user_columns!([declare_user_row]);

/// A list of columns within SQL: `all` of them, those that a user `row` has, or those that an
/// `update` sets. Each is written by another macro, such as `name`.
macro_rules! columns {
    ($which:ident $each:ident) => {
        $crate::row::columns::user_columns!([$crate::row::columns::columns_of] $which $each)
    };
}
pub(crate) use columns;

macro_rules! columns_of {
    (
        [$which:ident $each:ident]
        once { $($once:ident [$($once_sql:tt)*] = $once_value:expr;)* }
        changing { $($changing:ident [$($changing_sql:tt)*] = $changing_value:expr;)* }
        day { $($day:ident [$($day_sql:tt)*] = $day_value:expr;)* }
    ) => {
        $crate::row::columns::columns_of!(@$which $each [$($once)*] [$($changing)*] [$($day)*])
    };
    (@all $each:ident [$($once:ident)*] [$($changing:ident)*] [$($day:ident)*]) => {
        $crate::row::columns::columns_of!(@joined $each $($once)* $($changing)* $($day)*)
    };
    (@row $each:ident [$($once:ident)*] [$($changing:ident)*] [$($day:ident)*]) => {
        $crate::row::columns::columns_of!(@joined $each $($once)* $($changing)*)
    };
    (@update $each:ident [$($once:ident)*] [$($changing:ident)*] [$($day:ident)*]) => {
        $crate::row::columns::columns_of!(@joined $each $($changing)* $($day)*)
    };
    (@joined $each:ident $first:ident $($rest:ident)*) => {
        concat!($crate::row::columns::columns_of!(@$each $first) $(, ", ", $crate::row::columns::columns_of!(@$each $rest))*)
    };
    (@name $column:ident) => { stringify!($column) };
    (@placeholder $column:ident) => { concat!(":", stringify!($column)) };
    (@set_placeholder $column:ident) => {
        concat!(stringify!($column), " = :", stringify!($column))
    };
    (@set_new $column:ident) => { concat!(stringify!($column), " = new.", stringify!($column)) };
}
pub(crate) use columns_of;
pub(crate) use user_columns;
