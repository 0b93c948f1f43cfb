//! What the filter bar completes: the fields of the language, and values that the database has.

use rollcall_domain::{
    Counted, FIELDS, Filter, FilterField, LabelKind, Language, Pattern, Term, ZONE_REGIONS,
};
use rollcall_service::{Count, ServiceError};

use crate::{
    App,
    page::{language_name, text},
};

/// A term, or the beginning of one, and what it selects.
pub(crate) struct Completion {
    pub(crate) text: String,
    pub(crate) meaning: String,
}

/// Terms with a comparison. The other fields are completed by their names.
const COMPARISONS: [(&str, &str); 9] = [
    ("joined<7d", "joined within the last 7 days"),
    ("joined<30d", "joined within the last 30 days"),
    ("seen<7d", "seen within the last 7 days"),
    ("seen<30d", "seen within the last 30 days"),
    ("seen>=30d", "not seen within the last 30 days"),
    ("blocked_at<7d", "unreachable since at most 7 days"),
    ("days>=5", "active on at least 5 days"),
    ("days:1", "active on one day only"),
    ("random:10%:seed", "a tenth of all users that stays the same"),
];

/// Commands and kinds of buttons that each bot has, and those of its schedule.
const USED: [&str; 4] = ["used:/start", "used:/help", "used:/settings", "used:settings"];
const USED_OF_SCHEDULE: [&str; 2] = ["used:/schedule", "used:schedule"];

/// Everything that the bar completes: fields first, and then values.
pub(crate) async fn completions(app: &App) -> Result<Vec<Completion>, ServiceError> {
    let teams = async {
        match &app.schedule {
            Some(schedule) => schedule.teams().await,
            None => Ok(vec![]),
        }
    };
    let (languages, sources, tags, groups, segments, teams) = tokio::try_join!(
        app.directory.languages(),
        app.directory.sources(),
        app.labels.list(LabelKind::Tag),
        app.labels.list(LabelKind::Group),
        app.audience.segments(),
        teams,
    )?;
    let mut all: Vec<Completion> = FIELDS.iter().filter_map(of_field).collect();
    let mut add = |text: String, meaning: String| all.push(Completion { text, meaning });
    for (text, meaning) in COMPARISONS {
        add(text.to_owned(), meaning.to_owned());
    }
    let of_schedule = USED_OF_SCHEDULE.iter().filter(|_| app.schedule.is_some());
    for text in USED.iter().chain(of_schedule) {
        let is_command = text.contains('/');
        let meaning = if is_command { "used this command" } else { "used its buttons" };
        add((*text).to_owned(), meaning.to_owned());
    }
    for Count { label, count } in named(languages) {
        let meaning = format!("{} · {}", language_name(&label), text::grouped(count));
        add(term(Term::Language(vec![Pattern::exactly(&label)])), meaning);
    }
    for Count { label, count } in named(sources) {
        let meaning = format!("{} joined by it", text::users(Counted::Exactly(count)));
        add(term(Term::Source(vec![Pattern::exactly(&label)])), meaning);
    }
    for tag in tags {
        add(term(Term::Tag(vec![tag.name])), tag.description);
    }
    for group in groups {
        add(term(Term::Group(vec![group.name])), group.description);
    }
    for segment in segments {
        add(term(Term::Segment(vec![segment.name])), segment.description);
    }
    for language in Language::ALL {
        add(term(Term::BotLanguage(vec![language])), language_name(language.code()).into_owned());
    }
    for region in ZONE_REGIONS {
        let zones = Term::Zone(vec![Pattern::beginning(&format!("{region}/"))]);
        add(term(zones), format!("time zones of {region}"));
    }
    for team in teams {
        add(term(Term::Team(vec![team.abbreviation])), team.name);
    }
    Ok(all)
}

/// A field as it begins a term; `None` where [`COMPARISONS`] have better ones.
fn of_field(field: &FilterField) -> Option<Completion> {
    let is_compared = ["joined", "seen", "blocked_at", "days", "random:"].contains(&field.name);
    let (text, meaning) = (field.name.to_owned(), field.meaning.to_owned());
    (!is_compared).then_some(Completion { text, meaning })
}

/// Without the values that no term can name.
fn named(counts: Vec<Count>) -> impl Iterator<Item = Count> {
    counts.into_iter().filter(|it| !it.label.is_empty() && it.label != "(other)")
}

fn term(term: Term) -> String {
    Filter::with(term).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_completed() {
        let texts: Vec<String> = FIELDS.iter().filter_map(of_field).map(|it| it.text).collect();
        let texts: Vec<&str> =
            texts.iter().map(String::as_str).chain(COMPARISONS.map(|(text, _)| text)).collect();
        for FilterField { name, .. } in FIELDS {
            assert!(texts.iter().any(|text| text.starts_with(name)), "{name}");
        }
        let comparisons = COMPARISONS.map(|(text, _)| text);
        for text in comparisons.iter().chain(&USED).chain(&USED_OF_SCHEDULE) {
            assert_eq!(text.parse::<Filter>().unwrap().to_string(), *text);
        }
    }
}
