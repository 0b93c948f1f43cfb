//! Listing the deep links that have labels.

use std::{cmp::Reverse, collections::HashMap};

use chrono::NaiveDate;
use diesel::prelude::*;
use rollcall_domain::{Figure, Label, LabelledSource, StartPayload};
use rollcall_repository::LabelSum;

use crate::{
    base::{
        connection::AnyConnection,
        error::Failure,
        schema::{labels, sources},
        timestamp::UtcMicros,
    },
    labels::row::name,
    row::user::label_of,
    statistics::source_sums::{self, LAST_DAY},
};

/// See [`SourceRepository`](rollcall_repository::SourceRepository).
pub(crate) fn list(connection: &mut AnyConnection) -> Result<Vec<LabelledSource>, Failure> {
    let rows: Vec<(SourceRow, Option<String>)> = sources::table
        .left_join(labels::table.on(sources::tag.eq(labels::id.nullable())))
        .select((SourceRow::as_select(), labels::name.nullable()))
        .load(connection)?;
    let mut sums = HashMap::new();
    for LabelSum { figure, label, value } in
        source_sums::by_source(connection, NaiveDate::default(), LAST_DAY)?
    {
        sums.insert((label, figure), value);
    }
    let mut labelled = Vec::new();
    for (SourceRow { payload, label, since, is_listed }, tag) in rows {
        let label = label.map(|label| Label::from(label_of(Some(label))).text().into_owned());
        let sum = |figure| {
            let sum = label.clone().and_then(|label| sums.get(&(label, figure)).copied());
            sum.unwrap_or_default().try_into().unwrap_or_default()
        };
        labelled.push(LabelledSource {
            users: sum(Figure::SourceNew),
            starts: sum(Figure::SourceStarts),
            tag: tag.map(|tag| name(tag, &payload)).transpose()?,
            payload: payload_of(payload)?,
            since: since.map(Into::into),
            is_listed,
        });
    }
    labelled.sort_by(|a, b| {
        (Reverse((a.users, a.starts)), a.payload.as_str())
            .cmp(&(Reverse((b.users, b.starts)), b.payload.as_str()))
    });
    Ok(labelled)
}

/// A row of `sources`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sources)]
struct SourceRow {
    payload: String,
    label: Option<i32>,
    since: Option<UtcMicros>,
    is_listed: bool,
}

/// The payload of a row of `sources`.
pub(super) fn payload_of(payload: String) -> Result<StartPayload, Failure> {
    payload.parse().map_err(|error| Failure::Corrupt {
        table: "sources",
        column: "payload",
        key: payload,
        reason: format!("{error}"),
    })
}
