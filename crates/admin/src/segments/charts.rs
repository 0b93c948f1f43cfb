//! What is drawn of a segment.

use std::collections::BTreeMap;

use rollcall_domain::{Filter, Pattern, Segment, SegmentSize, TelegramUser, Term};

use super::users_query;
use crate::{
    App,
    chart::{Bands, Bar, Series, bars, columns, dates, lines},
    page::{language_name, text},
};

/// How many languages and sources are shown.
const MOST: usize = 6;

/// The size over time.
pub(super) fn size(sizes: &[SegmentSize]) -> String {
    let users = sizes.iter().map(|size| size.users).collect();
    lines("Users by day", &bands(sizes), &[Series { class: "c1", name: "Users", values: users }])
}

/// Who joined and left by day.
pub(super) fn changes(sizes: &[SegmentSize]) -> String {
    let series = |class, name, of: fn(&SegmentSize) -> Option<u64>| Series {
        class,
        name,
        values: sizes.iter().map(|size| of(size).unwrap_or_default()).collect(),
    };
    let joined = series("c1", "Joined", |size| size.changes.map(|it| it.joined));
    let left = series("c2", "Left", |size| size.changes.map(|it| it.left));
    columns("Joined and left by day", &bands(sizes), &[joined], &[left], 0)
}

fn bands(sizes: &[SegmentSize]) -> Bands {
    let days: Vec<_> = sizes.iter().map(|size| size.day).collect();
    Bands {
        names: days.iter().map(ToString::to_string).collect(),
        ticks: dates(&days),
        links: vec![],
    }
}

/// The most frequent languages of some users.
pub(super) fn languages(app: &App, segment: &Segment, sample: &[TelegramUser]) -> String {
    let values = sample.iter().map(|user| user.language_code.as_deref());
    let term = |code: &str| Term::Language(vec![Pattern::exactly(code)]);
    let name = |code: &str| language_name(code).into_owned();
    let bars_of = most_frequent(app, segment, sample.len(), values, term, name);
    bars("The most frequent languages", &bars_of)
}

/// The most frequent sources of some users.
pub(super) fn sources(app: &App, segment: &Segment, sample: &[TelegramUser]) -> String {
    let values = sample.iter().map(|user| user.source.as_ref().map(|it| it.as_str()));
    let term = |payload: &str| Term::Source(vec![Pattern::exactly(payload)]);
    let bars_of = most_frequent(app, segment, sample.len(), values, term, str::to_owned);
    bars("The most frequent sources", &bars_of)
}

fn most_frequent<'a>(
    app: &App,
    segment: &Segment,
    all: usize,
    values: impl Iterator<Item = Option<&'a str>>,
    term: impl Fn(&str) -> Term,
    name: impl Fn(&str) -> String,
) -> Vec<Bar> {
    let mut counts: BTreeMap<Option<&str>, u64> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut counts: Vec<(Option<&str>, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let bar = |(value, count): (Option<&str>, u64)| {
        let link = |value| {
            let query = users_query(segment, Filter::with(term(value)));
            format!("{}/users?{query}", app.base)
        };
        Bar {
            label: value.map_or_else(|| "none".to_owned(), &name),
            value: count,
            text: text::percent(count, u64::try_from(all).unwrap_or_default()),
            class: "c1",
            link: value.map(link),
        }
    };
    counts.into_iter().take(MOST).map(bar).collect()
}
