//! Conditions on users, as SQL that is composed for each request. Numbers and days are part of the
//! text, words are parameters.

use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Text,
};
use rollcall_domain::{Cursor, Days, ReachabilityFilter, SortKey, UserFilter, UserSort};

use crate::base::{
    connection::{AnyConnection, MultiBackend},
    timestamp::{UtcMicros, storable},
};

/// A statement, or a part of one: a text with a `$` for each parameter, and the parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql {
    text: String,
    parameters: Vec<String>,
}

impl Sql {
    /// A text without parameters.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), parameters: Vec::new() }
    }

    /// A text with one parameter. U+0000 is in no row, and PostgreSQL takes it in no parameter.
    fn with(text: &str, parameter: &str) -> Self {
        if parameter.contains('\0') {
            return Self::new("FALSE");
        }
        Self { text: text.to_owned(), parameters: vec![parameter.to_owned()] }
    }

    /// Adds a text.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds another part.
    pub(super) fn append(&mut self, Self { text, parameters }: Self) -> &mut Self {
        self.parameters.extend(parameters);
        self.push(&text)
    }

    /// Adds conditions, joined by AND.
    pub(super) fn push_all<'a>(&mut self, conditions: impl Iterator<Item = &'a Self>) -> &mut Self {
        self.push("TRUE");
        for Self { text, parameters } in conditions {
            self.push(" AND ").push(text);
            self.parameters.extend_from_slice(parameters);
        }
        self
    }

    /// The statement, ready to run, with the SQL type of its rows.
    pub(super) fn returning<T>(self) -> Returning<T> {
        Returning { sql: self, rows: PhantomData }
    }
}

/// A statement, and the SQL type of its rows.
pub(super) struct Returning<T> {
    sql: Sql,
    rows: PhantomData<T>,
}

impl<T> QueryFragment<MultiBackend> for Returning<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // Almost every statement is unique, so caching would only fill the cache.
        out.unsafe_to_cache_prepared();
        let Sql { text, parameters } = &self.sql;
        let mut parts = text.split('$');
        out.push_sql(parts.next().unwrap_or_default());
        for (parameter, part) in parameters.iter().zip(parts) {
            out.push_bind_param::<Text, _>(parameter)?;
            out.push_sql(part);
        }
        Ok(())
    }
}

impl<T> QueryId for Returning<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> Query for Returning<T> {
    type SqlType = T;
}

impl<T> RunQueryDsl<AnyConnection> for Returning<T> {}

/// A condition on users.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// Which index finds the users that meet it.
    pub(super) index: IndexUse,
    /// The condition.
    pub(super) sql: Sql,
}

/// Which index finds the users that meet a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IndexUse {
    /// An index over one value of a column, sorted by first day within the value.
    Value,
    /// The index of a sort key, in a range of which the users are.
    Range(SortKey),
    /// None.
    Scan,
}

impl Condition {
    /// Whether an index finds the users that meet it.
    pub(super) fn has_index(&self) -> bool {
        self.index != IndexUse::Scan
    }

    /// Whether the index of a sort key finds the users that meet it, in that order.
    pub(super) fn narrows(&self, key: SortKey) -> bool {
        match self.index {
            IndexUse::Value => key == SortKey::FirstSeen,
            IndexUse::Range(range) => range == key,
            IndexUse::Scan => false,
        }
    }
}

/// The conditions of a filter, except for the search term.
pub(super) fn conditions(filter: &UserFilter) -> Vec<Condition> {
    let mut all = Vec::new();
    let mut add = |index, sql| all.push(Condition { index, sql });
    match filter.language.as_deref() {
        None => {}
        Some("") => add(IndexUse::Value, Sql::new("language_code IS NULL")),
        Some(code) => add(IndexUse::Value, Sql::with("language_code = $", code)),
    }
    match filter.source.as_deref() {
        None => {}
        Some("") => add(IndexUse::Scan, Sql::new("source IS NULL")),
        Some(payload) => add(IndexUse::Value, Sql::with("source = $", payload)),
    }
    match filter.reachability {
        None => {}
        Some(ReachabilityFilter::Reachable) => {
            add(IndexUse::Scan, Sql::new("(has_private_chat AND obstacle IS NULL)"));
        }
        Some(ReachabilityFilter::Unreachable) => {
            add(IndexUse::Scan, Sql::new("NOT (has_private_chat AND obstacle IS NULL)"));
        }
        Some(ReachabilityFilter::Blocked) => add(IndexUse::Value, Sql::new("obstacle = 'blocked'")),
    }
    match filter.is_bot {
        None => {}
        Some(true) => add(IndexUse::Value, Sql::new("is_bot")),
        Some(false) => add(IndexUse::Scan, Sql::new("NOT is_bot")),
    }
    if let Some(sql) = first_seen(filter.first_seen) {
        add(IndexUse::Range(SortKey::FirstSeen), sql);
    }
    if let Some(sql) = last_seen(filter.last_seen) {
        add(IndexUse::Range(SortKey::LastSeen), sql);
    }
    let bounds = [(">=", filter.min_active_days), ("<=", filter.max_active_days)];
    if let Some(sql) = range("active_days", bounds.map(|(sign, days)| (sign, days))) {
        add(IndexUse::Range(SortKey::ActiveDays), sql);
    }
    all
}

fn first_seen(Days { first, last }: Days) -> Option<Sql> {
    let midnight = |day: NaiveDate| time(storable(day).and_time(chrono::NaiveTime::MIN).and_utc());
    // No row is after the last day that can be stored.
    let after = last.and_then(|day| day.succ_opt()).filter(|day| storable(*day) >= *day);
    range("created_at", [(">=", first.map(midnight)), ("<", after.map(midnight))])
}

fn last_seen(Days { first, last }: Days) -> Option<Sql> {
    let text = |day| format!("'{}'", storable(day));
    range("active_day", [(">=", first.map(text)), ("<=", last.map(text))])
}

/// The condition that a column is within the bounds that are given.
fn range<T: ToString>(column: &str, bounds: [(&str, Option<T>); 2]) -> Option<Sql> {
    let bound = |(sign, value): (&str, Option<T>)| {
        value.map(|value| format!("{column} {sign} {}", value.to_string()))
    };
    let bounds: Vec<String> = bounds.into_iter().filter_map(bound).collect();
    (!bounds.is_empty()).then(|| Sql::new(bounds.join(" AND ")))
}

/// The column of an order.
fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::FirstSeen => "created_at",
        SortKey::LastSeen => "active_day",
        SortKey::ActiveDays => "active_days",
        SortKey::Id => "telegram_id",
    }
}

/// An order of users as SQL.
pub(super) fn order(sort: UserSort) -> String {
    let way = if sort.descending { "DESC" } else { "ASC" };
    match sort.key {
        SortKey::Id => format!("telegram_id {way}"),
        key => format!("{} {way}, telegram_id {way}", column(key)),
    }
}

/// The condition that a user comes after a place in an order.
pub(super) fn after(sort: UserSort, place: Cursor) -> Sql {
    let sign = if sort.descending { "<" } else { ">" };
    let Cursor { value, telegram_id, .. } = place;
    let value = match sort.key {
        SortKey::Id => return Sql::new(format!("telegram_id {sign} {telegram_id}")),
        SortKey::ActiveDays => value.to_string(),
        SortKey::FirstSeen => time(DateTime::from_timestamp_micros(value).unwrap_or_default()),
        SortKey::LastSeen => format!("'{}'", storable(day(value))),
    };
    Sql::new(format!("({}, telegram_id) {sign} ({value}, {telegram_id})", column(sort.key)))
}

/// The day that is this many days after 1970-01-01.
fn day(number: i64) -> NaiveDate {
    let time = number.checked_mul(86_400).and_then(|it| DateTime::from_timestamp(it, 0));
    time.unwrap_or_default().date_naive()
}

/// The number of a day; see [`day`].
pub(super) fn day_number(day: NaiveDate) -> i64 {
    day.signed_duration_since(NaiveDate::default()).num_days()
}

fn time(at: DateTime<Utc>) -> String {
    let day = storable(at.date_naive());
    let at = if day == at.date_naive() { at } else { day.and_time(at.time()).and_utc() };
    format!("'{}'", UtcMicros::from(at).to_text())
}
