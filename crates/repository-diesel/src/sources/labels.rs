//! Which deep links have labels, and giving labels to others.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Integer, Nullable, Timestamp},
};
use rollcall_repository::MAX_SOURCES;

use crate::base::{
    schema::{activity_state, sources, telegram_users},
    timestamp::UtcMicros,
    transaction::{Transaction, alike},
};

/// A deep link that gets a label, and since when.
#[derive(Clone, Copy)]
pub(crate) struct NewLink<'a> {
    pub(crate) payload: &'a str,
    pub(crate) since: DateTime<Utc>,
}

/// A deep link, the number of its label, and the number of the tag that users get who open it.
#[derive(Queryable)]
pub(crate) struct LabelledLink {
    pub(crate) payload: String,
    pub(crate) label: i32,
    pub(crate) tag: Option<i32>,
}

/// A user, and the number of the label that its source counts under.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LabelledUser {
    pub(crate) telegram_id: i64,
    pub(crate) label: i32,
}

/// Those of these deep links that have labels.
pub(crate) fn read(
    connection: &mut Transaction<'_>,
    payloads: &[&str],
) -> QueryResult<Vec<LabelledLink>> {
    alike!(connection => sources::table
        .filter(sources::payload.eq_any(payloads))
        .filter(sources::label.is_not_null())
        .select((sources::payload, sources::label.assume_not_null(), sources::tag))
        .load(connection))
}

/// Gives each deep link a label, the first ones first, as far as there is room. Returns those that
/// have one now.
pub(crate) fn give(
    connection: &mut Transaction<'_>,
    links: &[NewLink<'_>],
) -> QueryResult<Vec<LabelledLink>> {
    alike!(connection => {
        let links = room_for(sources::table.count().get_result(connection)?, links);
        if links.is_empty() {
            return Ok(Vec::new());
        }
        // This locks the only row, so one transaction at a time gives labels: there are never too
        // many, and no two transactions lock the same links in another order.
        let wanted = i32::try_from(links.len()).unwrap_or(i32::MAX);
        diesel::update(activity_state::table)
            .set(activity_state::labels.eq(activity_state::labels + wanted))
            .execute(connection)?;
        let last: i32 = activity_state::table.select(activity_state::labels).first(connection)?;
        let links = room_for(sources::table.count().get_result(connection)?, links);
        let mut labelled = Vec::new();
        for (label, NewLink { payload, since }) in (last - wanted + 1..).zip(links) {
            // Another transaction may have given it one meanwhile.
            let label = diesel::insert_into(sources::table)
                .values((
                    sources::payload.eq(payload),
                    sources::label.eq(label),
                    sources::since.eq(UtcMicros::from(*since)),
                ))
                .on_conflict(sources::payload)
                .do_update()
                .set((
                    sources::label.eq(sql::<Nullable<Integer>>(
                        "coalesce(sources.label, excluded.label)",
                    )),
                    sources::since.eq(sql::<Nullable<Timestamp>>(
                        "coalesce(sources.since, excluded.since)",
                    )),
                ))
                .returning(sources::label.assume_not_null())
                .get_result(connection)?;
            labelled.push(LabelledLink { payload: (*payload).to_owned(), label, tag: None });
        }
        Ok(labelled)
    })
}

/// The first of these links, for which there is room beside so many labels.
fn room_for<'a, 'l>(labels: i64, links: &'a [NewLink<'l>]) -> &'a [NewLink<'l>] {
    let room = usize::try_from(labels).map_or(0, |labels| MAX_SOURCES.saturating_sub(labels));
    links.split_at_checked(room).map_or(links, |(first, _)| first)
}

/// Sets the labels that the sources of these users count under. Their rows are locked.
pub(crate) fn set_labels(
    connection: &mut Transaction<'_>,
    users: &[LabelledUser],
) -> QueryResult<()> {
    alike!(connection => {
        for LabelledUser { telegram_id, label } in users {
            diesel::update(telegram_users::table.find(telegram_id))
                .set(telegram_users::source_label.eq(label))
                .execute(connection)?;
        }
    });
    Ok(())
}
