//! The options of the form beside the filter bar.

use chrono::NaiveDate;
use rollcall_domain::{Counted, Pattern};
use rollcall_service::{Count, Facets, ServiceError};

use super::{
    choice::Choice,
    form::{DATES, EVERY_KIND, Fields, NONE, Period},
};
use crate::{App, page::text, presets::Preset};

/// The options of each select field. The chosen value is always among them.
pub(crate) struct Options {
    pub(crate) languages: Vec<Choice>,
    pub(crate) sources: Vec<Choice>,
    pub(crate) states: Vec<Choice>,
    pub(crate) kinds: Vec<Choice>,
    pub(crate) joined: Vec<Choice>,
    pub(crate) seen: Vec<Choice>,
}

impl Options {
    /// The options for a form with these values. `today` is the day in the time zone of the filter.
    pub(super) async fn of(
        app: &App,
        fields: &Fields,
        facets: Facets,
        today: NaiveDate,
    ) -> Result<Self, ServiceError> {
        let Facets { reachable, unreachable, blocked, people, bots } = facets;
        let states = [
            ("reachable", "Reachable", Some(reachable)),
            ("-reachable", "Not reachable", Some(unreachable)),
            ("blocked", "Blocked the bot", Some(blocked)),
        ];
        let kinds = [
            ("", "People", people),
            ("bot", "Bots", Some(bots)),
            (EVERY_KIND, "People and bots", None),
        ];
        Ok(Self {
            languages: values(app.directory.languages().await?, &fields.lang),
            sources: values(app.directory.sources().await?, &fields.source),
            states: counted(&states, &fields.state),
            kinds: counted(&kinds, &fields.kind),
            joined: ranges(&fields.joined, today),
            seen: ranges(&fields.seen, today),
        })
    }
}

/// The most frequent values.
fn values(counts: Vec<Count>, chosen: &str) -> Vec<Choice> {
    let named = counts.into_iter().filter(|count| count.label != "(other)");
    let choice = |Count { label, count }: Count| {
        let (value, name) = match label.as_str() {
            "" => (NONE.to_owned(), NONE),
            label => (Pattern::exactly(label).to_string(), label),
        };
        let name = format!("{name} · {}", text::grouped(count));
        Choice { is_chosen: value == chosen, value, name }
    };
    with_chosen(named.map(choice).collect(), chosen)
}

/// Values with how many users each has, as far as that is known.
fn counted(choices: &[(&str, &str, Option<Counted>)], chosen: &str) -> Vec<Choice> {
    let choice = |(value, name, count): &(&str, &str, Option<Counted>)| {
        let count = count.map(|count| format!(" · {}", text::number(count))).unwrap_or_default();
        let (name, is_chosen) = (format!("{name}{count}"), *value == chosen);
        Choice { value: (*value).to_owned(), name, is_chosen }
    };
    choices.iter().map(choice).collect()
}

fn ranges(period: &Period, today: NaiveDate) -> Vec<Choice> {
    let has_dates = period.range.is_empty() && period.is_set();
    let chosen = if has_dates { DATES } else { &period.range };
    let choice = |value: String, name: &str| {
        let is_chosen = value == chosen;
        Choice { value, name: name.to_owned(), is_chosen }
    };
    let presets = Preset::of_list();
    let presets = presets.map(|preset| choice(preset.in_a_filter(today), preset.title));
    with_chosen(presets.chain([choice(DATES.to_owned(), "Custom dates")]).collect(), chosen)
}

/// The options, and the chosen value as it is written if it is not among them.
fn with_chosen(mut choices: Vec<Choice>, chosen: &str) -> Vec<Choice> {
    if !chosen.is_empty() && !choices.iter().any(|choice| choice.is_chosen) {
        let (value, name) = (chosen.to_owned(), chosen.to_owned());
        choices.push(Choice { value, name, is_chosen: true });
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(choices: &[Choice]) -> Vec<String> {
        let mark = |it: &Choice| if it.is_chosen { "*" } else { "" };
        choices.iter().map(|it| format!("{}{} {}", mark(it), it.value, it.name)).collect()
    }

    #[test]
    fn the_chosen_value_is_among_the_options() {
        let counts = || {
            let count = |(label, count): (&str, u64)| Count { label: label.to_owned(), count };
            [("de", 1_200), ("", 7), ("=1", 1), ("(other)", 3)].map(count).to_vec()
        };
        let known = ["de de · 1,200", "(none) (none) · 7", "\"=1\" =1 · 1"];
        assert_eq!(shown(&values(counts(), "")), known);
        assert_eq!(shown(&values(counts(), "\"=1\""))[2], "*\"=1\" =1 · 1");
        assert_eq!(shown(&values(counts(), "de,ru"))[3], "*de,ru de,ru");
    }

    #[test]
    fn ranges_are_ages_or_dates() {
        let today = "2026-11-23".parse().unwrap();
        let range = |range: &str| Period { range: range.to_owned(), ..Period::default() };
        let expected = [
            "<1d Today",
            ":2026-11-22 Yesterday",
            "*<7d Last 7 days",
            "<30d Last 30 days",
            "<90d Last 90 days",
            "<365d Last 365 days",
            "dates Custom dates",
        ];
        assert_eq!(shown(&ranges(&range("<7d"), today)), expected);
        assert_eq!(shown(&ranges(&range(">=14d"), today))[7], "*>=14d >=14d");
        let dates = Period { from: "2026-01-01".to_owned(), ..Period::default() };
        assert_eq!(shown(&ranges(&dates, today))[6], "*dates Custom dates");
    }
}
