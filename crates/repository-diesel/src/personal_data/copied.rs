//! The rows of a table about a person. Each table is one query by its key, or by an index.

use diesel::{Expression, dsl::sql, expression::SqlLiteral, prelude::*, sql_types::BigInt};
use rollcall_domain::{Admin, DataRow, DataValue, LabelName, PersonalTable, TelegramId};

use super::value::Stored;
use crate::{
    admin::audit::entry::open_values,
    base::{
        connection::AnyConnection,
        error::Failure,
        free_text::{Cell, FreeText},
        schema::audit_log,
        timestamp::UtcMicros,
    },
    labels::users::labels_of,
};

/// Reads some columns of the rows about a person, in the order of the table's key.
macro_rules! rows {
    (
        $part:ident: $table:ident by $person:ident = $value:expr, in ($($order:ident),+);
        $($column:ident),+
    ) => {
        rows! {
            @in [($(crate::base::schema::$table::$order,)+)]
            $part: $table by $person = $value; $($column),+
        }
    };
    (
        $part:ident: $table:ident by $person:ident = $value:expr, newest first;
        $($column:ident),+
    ) => {
        rows! { @in [newest_first()] $part: $table by $person = $value; $($column),+ }
    };
    (
        @in [$order:expr] $part:ident: $table:ident by $person:ident = $value:expr;
        $($column:ident),+
    ) => {{
        use crate::base::schema::$table::dsl;
        type Row = ($(<<dsl::$column as Expression>::SqlType as Stored>::Read,)+);
        let rows: Vec<Row> = dsl::$table
            .filter(dsl::$person.eq($value))
            .order($order)
            .offset($part.skipped)
            .limit($part.limit)
            .select(($(dsl::$column,)+))
            .load($part.connection)?;
        let row = |($($column,)+): Row| -> DataRow {
            vec![$((
                stringify!($column),
                <<dsl::$column as Expression>::SqlType as Stored>::value($column),
            ),)+]
        };
        rows.into_iter().map(row).collect()
    }};
}

/// Which rows of a table are read.
struct Part<'a> {
    connection: &'a mut AnyConnection,
    skipped: i64,
    limit: i64,
}

/// See [`personal_rows`](rollcall_repository::PersonalDataRepository::personal_rows).
pub(super) fn personal_rows(
    connection: &mut AnyConnection,
    table: PersonalTable,
    person: TelegramId,
    (skipped, limit): (i64, i64),
    free_text: &FreeText,
) -> Result<Vec<DataRow>, Failure> {
    let id = person.get();
    let admin = Admin::Telegram(person).to_string();
    let part = Part { connection, skipped, limit };
    Ok(match table {
        PersonalTable::TelegramUsers => rows! {
            part: telegram_users by telegram_id = id, in (telegram_id);
            first_name, last_name, username, language_code, is_bot, created_at, updated_at,
            last_seen, profile_seen, active_day, previous_seen, has_private_chat, obstacle,
            blocked_at, unblocked_at, source, source_label, first_hour, day_interactions,
            days_of_month, active_days
        },
        PersonalTable::ProfileChanges => rows! {
            part: profile_changes by telegram_id = id, in (at, field);
            at, field, old_value, new_value
        },
        PersonalTable::SearchPending => rows! {
            part: search_pending by telegram_id = id, in (telegram_id);
            telegram_id
        },
        PersonalTable::ActiveDays => rows! {
            part: active_days by telegram_id = id, in (day);
            day, interactions, first_hour
        },
        PersonalTable::ReachHistory => rows! {
            part: reach_history by telegram_id = id, in (at, change);
            at, change
        },
        PersonalTable::UserEvents => rows! {
            part: user_events by telegram_id = id, in (at, event);
            at, event, recorded_at, claimed_until, refused_at, refusal
        },
        PersonalTable::Starts => rows! {
            part: starts by telegram_id = id, in (at, payload);
            at, payload, label
        },
        PersonalTable::CommandUses => rows! {
            part: command_uses by telegram_id = id, in (command);
            command, first_day, last_day, days, recent_days
        },
        PersonalTable::UncountedUsers => rows! {
            part: uncounted_users by telegram_id = id, in (telegram_id);
            telegram_id
        },
        PersonalTable::UncountedSums => rows! {
            part: uncounted_sums by telegram_id = id, in (figure, day, label);
            figure, day, label, value
        },
        PersonalTable::Preferences => rows! {
            part: preferences by telegram_id = id, in (telegram_id);
            language, time_zone
        },
        PersonalTable::FavouriteTeams => rows! {
            part: favourite_teams by telegram_id = id, in (team);
            team
        },
        PersonalTable::OptOuts => rows! {
            part: opt_outs by telegram_id = id, in (category);
            category, at
        },
        PersonalTable::BroadcastRecipients => rows! {
            part: broadcast_recipients by telegram_id = id, in (broadcast);
            broadcast, state, reason, message_id, at, due_at, arm
        },
        PersonalTable::BroadcastPresses => rows! {
            part: broadcast_presses by telegram_id = id, in (broadcast, button);
            broadcast, button, at
        },
        PersonalTable::Notes => {
            let rows: Vec<DataRow> = rows! {
                part: notes by telegram_id = id, in (telegram_id);
                text, written_at
            };
            opened(rows, "text", free_text, |_| Some(Cell::note(id)))?
        }
        PersonalTable::UserLabels => labels(part, person)?,
        PersonalTable::LabelChangedUsers => rows! {
            part: label_changed_users by telegram_id = id, in (change);
            change
        },
        PersonalTable::Quarantine => {
            let rows: Vec<DataRow> = rows! {
                part: quarantine by telegram_id = id, in (update_id);
                update_id, received_at, reason, registered, payload, undelivered
            };
            opened(rows, "payload", free_text, |row| match row.first() {
                Some((_, Some(DataValue::Number(update_id)))) => Some(Cell::payload(*update_id)),
                _ => None,
            })?
        }
        PersonalTable::AuditLog => audited(part, id, free_text)?,
        PersonalTable::OwnActions => rows! {
            part: audit_log by admin = &admin, newest first;
            at, action
        },
        PersonalTable::TelegramOwners => rows! {
            part: telegram_owners by telegram_id = id, in (telegram_id);
            claimed_at
        },
        PersonalTable::AdminLinks => rows! {
            part: admin_links by telegram_id = id, in (created_at);
            created_at
        },
        PersonalTable::AdminSessions => rows! {
            part: admin_sessions by admin = &admin, in (signed_in_at, token_hash);
            signed_in_at, last_used_at, confirmed_at, device, address
        },
        PersonalTable::SecondFactors => rows! {
            part: second_factors by admin = &admin, in (enabled_at);
            enabled_at
        },
        PersonalTable::Passkeys => rows! {
            part: passkeys by admin = &admin, in (added_at, id);
            name, host, added_at, last_used_at
        },
        PersonalTable::DeviceGenerations => rows! {
            part: device_generations by admin = &admin, in (generation);
            generation
        },
        PersonalTable::BroadcastRequests => rows! {
            part: broadcast_requests by telegram_id = id, in (telegram_id);
            filter, zone, at, refused_album
        },
        PersonalTable::BroadcastProgress => rows! {
            part: broadcast_progress by telegram_id = id, in (broadcast);
            broadcast, message_id, next_at, shown
        },
        PersonalTable::SearchGrams | PersonalTable::RecoveryCodes => Vec::new(),
    })
}

/// The rows with a column as it was before it was encrypted, in the cell of its row.
fn opened(
    mut rows: Vec<DataRow>,
    column: &str,
    free_text: &FreeText,
    cell: impl Fn(&DataRow) -> Option<Cell>,
) -> Result<Vec<DataRow>, Failure> {
    for row in &mut rows {
        let Some(cell) = cell(row) else { continue };
        let value = row.iter_mut().find(|(name, _)| *name == column).map(|(_, value)| value);
        if let Some(Some(DataValue::Text(text))) = value {
            *text = free_text.open(cell, std::mem::take(text))?;
        }
    }
    Ok(rows)
}

/// The entries of the audit log about a person.
fn audited(part: Part<'_>, id: i64, free_text: &FreeText) -> Result<Vec<DataRow>, Failure> {
    let rows: Vec<Audited> = audit_log::table
        .filter(audit_log::about.eq(id))
        .order(newest_first())
        .offset(part.skipped)
        .limit(part.limit)
        .select((
            audit_log::at,
            audit_log::action,
            audit_log::old_value,
            audit_log::new_value,
            audit_log::values_hash,
        ))
        .load(part.connection)?;
    let row = |(at, action, old, new, hash): Audited| {
        let (old, new) = open_values(free_text, old, new, hash.as_deref())?;
        Ok(vec![
            ("at", Some(DataValue::Time(at.into()))),
            ("action", Some(DataValue::Text(action))),
            ("old_value", old.map(DataValue::Text)),
            ("new_value", new.map(DataValue::Text)),
        ])
    };
    rows.into_iter().map(row).collect()
}

/// Time, action, values and their hash.
type Audited = (UtcMicros, String, Option<String>, Option<String>, Option<Vec<u8>>);

/// The order of the indexes of the audit log.
fn newest_first() -> SqlLiteral<BigInt> {
    sql("-id")
}

/// The tags and groups of a person by name. There are few.
fn labels(part: Part<'_>, person: TelegramId) -> Result<Vec<DataRow>, Failure> {
    let of = labels_of(part.connection, &[person.get()])?.remove(&person).unwrap_or_default();
    let named = |kind: &'static str| {
        move |name: LabelName| -> DataRow {
            vec![("label", Some(DataValue::Text(format!("{kind}:{name}"))))]
        }
    };
    let all =
        of.tags.into_iter().map(named("tag")).chain(of.groups.into_iter().map(named("group")));
    let page = |count: i64| usize::try_from(count).unwrap_or(usize::MAX);
    Ok(all.skip(page(part.skipped)).take(page(part.limit)).collect())
}
