//! Words that several screens of broadcasts have.

use std::time::Duration;

use rollcall_domain::{BroadcastPlan, Counted, Filter, FilterNode, Term, harmless};

use crate::{
    action::Action,
    locale::Locale,
    reply::Button,
    text::{escaped, shown},
};

use super::action::BroadcastAction;

/// The command that begins a broadcast, without the slash.
pub(super) const COMMAND: &str = "broadcast";
/// Names and filters are cut at this length in UTF-16 units.
const SHOWN_UNITS: usize = 160;

/// The name of a broadcast, as a part of a text.
pub(super) fn name(plan: &BroadcastPlan) -> String {
    shown(&plan.name, SHOWN_UNITS)
}

/// The users of a filter, as a part of a text.
pub(super) fn users(locale: &Locale, filter: &Filter) -> String {
    if let FilterNode::Term(Term::Segment(names)) = filter.node()
        && let [segment] = names.as_slice()
    {
        let segment = segment.to_string().into();
        return locale.format("broadcast-segment", &[("segment", segment)]);
    }
    match filter.to_string() {
        filter if filter.is_empty() => locale.text("broadcast-everyone"),
        filter => format!("<code>{}</code>", escaped(&harmless(&cut(&filter)))),
    }
}

fn cut(filter: &str) -> String {
    match filter.char_indices().nth(SHOWN_UNITS) {
        Some((end, _)) => format!("{}…", filter.get(..end).unwrap_or_default()),
        None => filter.to_owned(),
    }
}

/// A number of users, as exactly as it is known.
pub(super) fn number(locale: &Locale, number: Counted) -> String {
    let (key, count) = match number {
        Counted::Exactly(count) => ("number-exactly", count),
        Counted::MoreThan(count) => ("number-more-than", count),
        Counted::About(count) => ("number-about", count),
    };
    locale.format(key, &[("count", count.into())])
}

/// A number with grouped thousands.
pub(super) fn exact(locale: &Locale, count: u64) -> String {
    number(locale, Counted::Exactly(count))
}

/// A length of time in its two largest units.
pub(super) fn span(locale: &Locale, duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (key, large, small) = match seconds {
        0..60 => ("span-seconds", 0, seconds),
        60..600 => ("span-minutes-seconds", minutes, seconds % 60),
        600..3_600 => ("span-minutes", 0, minutes),
        3_600..86_400 => ("span-hours", hours, minutes % 60),
        _ => ("span-days", hours / 24, hours % 24),
    };
    let number = |number: u64| number.to_string().into();
    match key {
        "span-seconds" => locale.format("span-seconds", &[("number", number(small))]),
        "span-minutes" => locale.format("span-minutes", &[("number", number(small))]),
        key => locale.format(key, &[("large", number(large)), ("small", number(small))]),
    }
}

/// A button of a broadcast.
pub(super) fn button(locale: &Locale, key: &str, action: BroadcastAction) -> Button {
    Button { label: locale.text(key), action: Action::Broadcast(action) }
}
