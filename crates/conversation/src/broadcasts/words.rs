//! Words that several screens of broadcasts have.

use std::time::Duration;

use chrono::DateTime;
use chrono_tz::Tz;
use rollcall_domain::{BroadcastPlan, Counted, Filter, FilterNode, Term, harmless};
use rollcall_service::Stars;

use crate::{
    action::Action,
    locale::Locale,
    reply::Button,
    schedule::back,
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

/// A length of time in its two largest units, or the largest one.
pub(super) fn span(locale: &Locale, duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (one, both, large, small) = match seconds {
        0..60 => ("span-seconds", "", seconds, 0),
        60..600 => ("span-whole-minutes", "span-minutes-seconds", minutes, seconds % 60),
        600..3_600 => ("span-whole-minutes", "", minutes, 0),
        3_600..86_400 => ("span-whole-hours", "span-hours", hours, minutes % 60),
        _ => ("span-whole-days", "span-days", hours / 24, hours % 24),
    };
    let number = |number: u64| number.to_string().into();
    match small {
        0 => locale.format(one, &[("number", number(large))]),
        _ => locale.format(both, &[("large", number(large)), ("small", number(small))]),
    }
}

/// A price in Telegram Stars, rounded up.
pub(super) fn stars(locale: &Locale, price: Stars) -> String {
    format!("⭐ {}", exact(locale, price.tenths.div_ceil(10)))
}

/// The button that leads back to a broadcast.
pub(super) fn back_to(locale: &Locale, id: i64) -> Button {
    back(locale, Action::Broadcast(BroadcastAction::Show(id)))
}

/// A label of a button, marked if it is what is chosen.
pub(super) fn chosen(is_chosen: bool, label: String) -> String {
    if is_chosen { format!("✓ {label}") } else { label }
}

/// The name of a time zone, such as `America/New York`.
pub(super) fn zone(zone: Tz) -> String {
    zone.name().replace('_', " ")
}

/// A day and a time of it.
pub(super) fn moment(locale: &Locale, at: DateTime<Tz>) -> String {
    let arguments = [("day", locale.day(at.date_naive()).into()), ("time", locale.time(at).into())];
    locale.format("broadcast-moment", &arguments)
}

/// A button of a broadcast.
pub(super) fn button(locale: &Locale, key: &str, action: BroadcastAction) -> Button {
    Button { label: locale.text(key), action: Action::Broadcast(action) }
}

#[cfg(test)]
mod tests {
    use rollcall_domain::Language;

    use super::*;

    #[test]
    fn a_length_of_time_has_its_two_largest_units() {
        let english = Locale::of(Language::English);
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (599, "9 min 59 s"),
            (600, "10 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (3_659, "1 h"),
            (3_660, "1 h 1 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d"),
            (90_000, "1 d 1 h"),
            (u64::MAX, "213503982334601 d 7 h"),
        ] {
            assert_eq!(span(english, Duration::from_secs(seconds)), expected, "{seconds}");
        }
    }
}
