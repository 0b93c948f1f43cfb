//! Conditions on users, as SQL. Numbers and days stand in the text, words travel as parameters.

use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    QueryResult, RunQueryDsl,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Text,
};
use rollcall_domain::{Cursor, Days, ReachFilter, SortKey, UserFilter, UserSort};

use crate::{
    connection::{AnyConnection, MultiBackend},
    timestamp::{UtcMicros, storable},
};

/// A statement, or a part of one: its text, in which each `$` stands for a parameter, and these.
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

    /// Adds another one.
    pub(super) fn append(&mut self, Self { text, parameters }: Self) -> &mut Self {
        self.parameters.extend(parameters);
        self.push(&text)
    }

    /// Adds conditions that all have to be met.
    pub(super) fn push_all<'a>(&mut self, conditions: impl Iterator<Item = &'a Self>) -> &mut Self {
        self.push("TRUE");
        for Self { text, parameters } in conditions {
            self.push(" AND ").push(text);
            self.parameters.extend_from_slice(parameters);
        }
        self
    }

    /// The statement, to be run; it answers rows of this SQL type.
    pub(super) fn answering<T>(self) -> Answering<T> {
        Answering { sql: self, answer: PhantomData }
    }
}

/// A statement, and the SQL type of the rows that it answers.
pub(super) struct Answering<T> {
    sql: Sql,
    answer: PhantomData<T>,
}

impl<T> QueryFragment<MultiBackend> for Answering<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // Nearly each is another one.
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

impl<T> QueryId for Answering<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> Query for Answering<T> {
    type SqlType = T;
}

impl<T> RunQueryDsl<AnyConnection> for Answering<T> {}

/// A condition on users.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// What it is about.
    pub(super) about: About,
    /// The condition.
    pub(super) sql: Sql,
}

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// One value of a column with an index in which those who have it follow by first day.
    Kind,
    /// A range of what users can be sorted by.
    Range(SortKey),
    /// Something without an index.
    Else,
}

impl Condition {
    /// Whether an index leads to those who meet it.
    pub(super) fn has_index(&self) -> bool {
        self.about != About::Else
    }

    /// Whether the index of an order leads to those who meet it, in that order.
    pub(super) fn narrows(&self, key: SortKey) -> bool {
        match self.about {
            About::Kind => key == SortKey::FirstSeen,
            About::Range(range) => range == key,
            About::Else => false,
        }
    }
}

/// The conditions of a filter, but for what is searched for.
pub(super) fn conditions(filter: &UserFilter) -> Vec<Condition> {
    let mut all = Vec::new();
    let mut add = |about, sql| all.push(Condition { about, sql });
    match filter.language.as_deref() {
        None => {}
        Some("") => add(About::Kind, Sql::new("language_code IS NULL")),
        Some(code) => add(About::Kind, Sql::with("language_code = $", code)),
    }
    match filter.source.as_deref() {
        None => {}
        Some("") => add(About::Else, Sql::new("source IS NULL")),
        Some(payload) => add(About::Kind, Sql::with("source = $", payload)),
    }
    match filter.reach {
        None => {}
        Some(ReachFilter::Reachable) => {
            add(About::Else, Sql::new("(has_private_chat AND obstacle IS NULL)"));
        }
        Some(ReachFilter::Unreachable) => {
            add(About::Else, Sql::new("NOT (has_private_chat AND obstacle IS NULL)"));
        }
        Some(ReachFilter::Blocked) => add(About::Kind, Sql::new("obstacle = 'blocked'")),
    }
    match filter.is_bot {
        None => {}
        Some(true) => add(About::Kind, Sql::new("is_bot")),
        Some(false) => add(About::Else, Sql::new("NOT is_bot")),
    }
    if let Some(sql) = first_seen(filter.first_seen) {
        add(About::Range(SortKey::FirstSeen), sql);
    }
    if let Some(sql) = last_seen(filter.last_seen) {
        add(About::Range(SortKey::LastSeen), sql);
    }
    let bounds = [(">=", filter.min_active_days), ("<=", filter.max_active_days)];
    if let Some(sql) = range("active_days", bounds.map(|(sign, days)| (sign, days))) {
        add(About::Range(SortKey::ActiveDays), sql);
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

/// That a column is within bounds, as far as there are such.
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

/// An order of users as SQL, as it is or backwards.
pub(super) fn order(sort: UserSort) -> String {
    let way = if sort.descending { "DESC" } else { "ASC" };
    match sort.key {
        SortKey::Id => format!("telegram_id {way}"),
        key => format!("{} {way}, telegram_id {way}", column(key)),
    }
}

/// That a user comes after a place in an order.
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

/// The day so many days after 1970-01-01.
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
