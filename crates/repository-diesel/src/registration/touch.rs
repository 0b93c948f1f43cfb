//! A call alone that changes nothing of its user but the time, on PostgreSQL. It is one statement,
//! which is a transaction by itself: one round trip instead of five.

use diesel::{
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Bool, Date, Integer, Nullable, Text, Timestamp},
};
use rollcall_domain::{
    Figure, Hour, Interaction, InteractionKind, Label, Registration, TelegramUser, Username,
};
use rollcall_repository::Batch;

use super::upserted::is_counted;
use crate::{
    base::{
        connection::PgConnection,
        error::Failure,
        slot::slot,
        statement::{Columns, statement},
        timestamp::{Day, UtcMicros},
    },
    row::columns::{UserRow, columns},
    statistics::minutes::minute_of,
};

/// Records such a call; `None`, and nothing is changed, if it is not one.
pub(super) fn touch(
    connection: &mut PgConnection,
    batch: &Batch,
) -> Result<Option<Registration>, Failure> {
    let Batch { interactions, quarantined } = batch;
    let [interaction @ Interaction { update_id: None, chat: None, event: None, .. }] =
        interactions.as_slice()
    else {
        return Ok(None);
    };
    let is_counted_apart =
        interaction.kind == InteractionKind::Command || interaction.used().is_some();
    if !quarantined.is_empty() || is_counted_apart {
        return Ok(None);
    }
    let user = TelegramUser::created_by(interaction);
    let touch = Touch {
        telegram_id: user.telegram_id.get(),
        first_name: &user.first_name,
        last_name: user.last_name.as_deref(),
        username: user.username.as_ref().map(Username::as_str),
        language_code: user.language_code.as_deref(),
        is_bot: user.is_bot,
        last_seen: user.last_seen.into(),
        active_day: user.active_day().into(),
        by_hour: Figure::InteractionHour.name(),
        hour: Label::from(Hour::of(interaction.at)).to_string(),
        by_kind: Figure::Kind.name(),
        kind: interaction.kind.name(),
        minute: minute_of(interaction.at),
    };
    let row: Option<UserRow> = touch.get_result(connection).optional()?;
    let registration = |user| Registration {
        user,
        created: false,
        repeated: false,
        suppressed: false,
        stored: true,
    };
    row.map(|row| Ok(registration(row.into_user()?))).transpose()
}

statement! {
    /// Moves the time of a user whose profile, day and reachability are these, and counts the call.
    struct Touch<'a> -> Columns<UserRow> {
        telegram_id: i64 as BigInt,
        first_name: &'a str as Text,
        last_name: Option<&'a str> as Nullable<Text>,
        username: Option<&'a str> as Nullable<Text>,
        language_code: Option<&'a str> as Nullable<Text>,
        is_bot: bool as Bool,
        last_seen: UtcMicros as Timestamp,
        active_day: Day as Date,
        by_hour: &'static str as Text,
        hour: String as Text,
        by_kind: &'static str as Text,
        kind: &'static str as Text,
        minute: i32 as Integer,
    }
    Pg => concat!("
        WITH touched AS (
            UPDATE telegram_users SET
                previous_seen = last_seen,
                profile_seen = NULL,
                day_interactions = day_interactions + 1,
                last_seen = :last_seen
            WHERE telegram_id = :telegram_id
            AND first_name = :first_name
            AND last_name IS NOT DISTINCT FROM :last_name
            AND username IS NOT DISTINCT FROM :username
            AND language_code IS NOT DISTINCT FROM COALESCE(:language_code, language_code)
            AND is_bot = :is_bot
            AND last_seen <= :last_seen
            AND active_day = :active_day
            AND obstacle IS NULL
            RETURNING *),
        counted AS (
            INSERT INTO activity_sums AS counted
            SELECT figure, active_day, label, ", slot!(), ", 1
            FROM touched, (VALUES (:by_hour, :hour), (:by_kind, :kind)) AS sums (figure, label)
            WHERE ", is_counted!(), "
            ON CONFLICT (figure, day, label, slot) DO UPDATE SET value = counted.value + 1),
        minuted AS (
            INSERT INTO minute_sums AS stored (place, slot, minute, interactions)
            SELECT :minute % 60, ", slot!(), ", :minute, 1 FROM touched
            WHERE ", is_counted!(), "
            ON CONFLICT (place, slot) DO UPDATE SET
                minute = GREATEST(stored.minute, excluded.minute),
                interactions = CASE
                    WHEN excluded.minute > stored.minute THEN 1
                    WHEN excluded.minute = stored.minute THEN stored.interactions + 1
                    ELSE stored.interactions END)
        SELECT ", columns!(row name), " FROM touched"),
}
