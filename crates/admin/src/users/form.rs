//! The form beside the filter bar. It edits the text of the bar: it owns the parts of the filter that
//! its fields show, and leaves the others as they are.

use rollcall_domain::{
    DayField, DayRange, Days, Filter, FilterNode as Node, NumberRange, Pattern, Term,
    quoted_in_filter,
};

use super::query::Query;
use crate::page::Failure;

/// The value of `lang` and `source` for users without one. Neither can have this name.
pub(crate) const NONE: &str = "(none)";

/// The value of `joined` and `seen` for the days between two dates.
pub(crate) const DATES: &str = "dates";

/// The value of `kind` for people and bots.
pub(crate) const EVERY_KIND: &str = "any";

/// The name of the hidden field that marks the form. Browsers leave out no field, but empty ones leave
/// the URL; without the mark, a form that clears a field would look like no form.
const MARK: &str = "form";

/// The fields of the form, as the query string has them. Empty ones are not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) search: String,
    pub(crate) lang: String,
    pub(crate) source: String,
    pub(crate) state: String,
    pub(crate) kind: String,
    pub(crate) joined: Period,
    pub(crate) seen: Period,
    pub(crate) min_days: String,
    pub(crate) max_days: String,
}

/// A range of days: what follows the field in the filter, such as `<7d`, or two dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) range: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// A part of the filter that the form shows in a field of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Search,
    Language,
    Source,
    State,
    Kind,
    Days(DayField),
    ActiveDays,
}

const SLOTS: [Slot; 8] = [
    Slot::Search,
    Slot::Language,
    Slot::Source,
    Slot::State,
    Slot::Kind,
    Slot::Days(DayField::Joined),
    Slot::Days(DayField::Seen),
    Slot::ActiveDays,
];

impl Slot {
    /// The slot of a part; `None` if the form has no field for it.
    fn of(part: &Node) -> Option<Self> {
        let Some((term, is_wanted)) = single(part) else {
            return part.is_people_and_bots().then_some(Self::Kind);
        };
        match term {
            Term::Search(_) if is_wanted => Some(Self::Search),
            Term::Language(codes) if is_wanted || is_any(codes) => Some(Self::Language),
            Term::Source(payloads) if is_wanted || is_any(payloads) => Some(Self::Source),
            Term::Reachable => Some(Self::State),
            Term::Blocked if is_wanted => Some(Self::State),
            Term::Bot => Some(Self::Kind),
            Term::Day(field @ (DayField::Joined | DayField::Seen), _) if is_wanted => {
                Some(Self::Days(*field))
            }
            Term::ActiveDays(_) if is_wanted => Some(Self::ActiveDays),
            _ => None,
        }
    }
}

/// The term that a part is, and whether it is wanted rather than excluded.
fn single(part: &Node) -> Option<(&Term, bool)> {
    match part {
        Node::Term(term) => Some((term, true)),
        Node::Not(part) => match &**part {
            Node::Term(term) => Some((term, false)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a list has only `*`.
fn is_any(patterns: &[Pattern]) -> bool {
    patterns == [Pattern::beginning("")]
}

impl Fields {
    /// The fields of a filter.
    pub(crate) fn of(filter: &Filter) -> Self {
        let mut fields = Self::default();
        let (mut joined, mut seen, mut days) = (Vec::new(), Vec::new(), Vec::new());
        for part in filter.parts() {
            if Slot::of(part).is_none() {
                continue;
            }
            let Some((term, is_wanted)) = single(part) else {
                fields.kind = EVERY_KIND.to_owned();
                continue;
            };
            match term {
                Term::Search(term) => {
                    let blank = if fields.search.is_empty() { "" } else { " " };
                    fields.search = format!("{}{blank}{}", fields.search, term.as_str());
                }
                Term::Language(_) => fill(&mut fields.lang, value_of(term, is_wanted)),
                Term::Source(_) => fill(&mut fields.source, value_of(term, is_wanted)),
                Term::Reachable | Term::Blocked => fill(&mut fields.state, part.to_string()),
                Term::Bot if is_wanted => fill(&mut fields.kind, part.to_string()),
                Term::Day(DayField::Joined, range) => joined.push(*range),
                Term::Day(DayField::Seen, range) => seen.push(*range),
                Term::ActiveDays(range) => days.push(*range),
                _ => {}
            }
        }
        fields.joined = Period::of(&joined);
        fields.seen = Period::of(&seen);
        (fields.min_days, fields.max_days) = ends(&days);
        fields
    }

    /// The fields that a form sent; `None` if the query string is from elsewhere.
    fn sent(pairs: &[(String, String)]) -> Result<Option<Self>, Failure> {
        if !pairs.iter().any(|(name, _)| name == MARK) {
            return Ok(None);
        }
        let value = |name: &str| once(pairs, name).map(|it| it.unwrap_or_default().to_owned());
        let period = |name: &str| {
            let value = |end: &str| value(&format!("{name}{end}"));
            Ok::<_, Failure>(Period { range: value("")?, from: value("_from")?, to: value("_to")? })
        };
        Ok(Some(Self {
            search: value("q")?,
            lang: value("lang")?,
            source: value("source")?,
            state: value("state")?,
            kind: value("kind")?,
            joined: period("joined")?.without_dates_beside_a_range(),
            seen: period("seen")?.without_dates_beside_a_range(),
            min_days: value("min_days")?,
            max_days: value("max_days")?,
        }))
    }

    /// A filter with the values of these fields in place of its own. The parts of fields that did not
    /// change stay as they are written. An invalid value is kept, so that its place can be marked.
    pub(crate) fn applied_to(&self, filter: &Filter) -> String {
        let old = Self::of(filter);
        let changed = SLOTS.into_iter().map(|slot| (slot, self.text(slot)));
        let changed = changed.filter(|(slot, text)| *text != old.text(*slot));
        let mut changed: Vec<(Slot, Option<String>)> = changed.collect();
        let mut texts = Vec::new();
        for part in filter.parts() {
            let slot = Slot::of(part);
            match changed.iter_mut().find(|(it, _)| Some(*it) == slot) {
                // The first part of a slot is replaced, and others of the same slot leave.
                Some((_, new)) => texts.extend(new.take()),
                None => texts.push(part.text_among_others()),
            }
        }
        texts.extend(changed.into_iter().filter_map(|(_, new)| new));
        canonical(texts.join(" "))
    }

    /// The part of a filter that a field stands for.
    fn text(&self, slot: Slot) -> Option<String> {
        let text = match slot {
            Slot::Search => searched(&self.search),
            Slot::Language => valued("lang", &self.lang),
            Slot::Source => valued("source", &self.source),
            Slot::State => match self.state.as_str() {
                word @ ("" | "reachable" | "-reachable" | "blocked") => word.to_owned(),
                odd => format!("state:{}", quoted_in_filter(odd)),
            },
            Slot::Kind => match self.kind.as_str() {
                word @ ("" | "bot") => word.to_owned(),
                EVERY_KIND => EVERYONE_AND_BOTS.to_owned(),
                odd => format!("kind:{}", quoted_in_filter(odd)),
            },
            Slot::Days(field) => {
                let period = if field == DayField::Seen { &self.seen } else { &self.joined };
                match period.range.as_str() {
                    "" | DATES => ranged(field.name(), &period.from, &period.to),
                    range => compared(field.name(), range),
                }
            }
            Slot::ActiveDays => ranged("days", &self.min_days, &self.max_days),
        };
        Some(text).filter(|text| !text.is_empty())
    }
}

/// The part of a filter by which bots are listed, too.
pub(crate) const EVERYONE_AND_BOTS: &str = "(bot or -bot)";

/// The list that a form changed; `None` if the query string is not from the form.
pub(super) fn changed_list(pairs: &[(String, String)]) -> Result<Option<Query>, Failure> {
    let Some(fields) = Fields::sent(pairs)? else { return Ok(None) };
    let query = Query::read(pairs);
    Ok(Some(match &query.filter {
        Ok(filter) => query.with_filter(fields.applied_to(filter)),
        // Together with other text, `lang:de or` would become a filter of more users.
        Err(_) => query.first_page().still_invalid()?,
    }))
}

/// The list of users who joined on these days, and meet the rest of its filter.
pub(super) fn with_first_days(query: &Query, days: Days) -> Query {
    let date = |day: Option<chrono::NaiveDate>| day.map(|it| it.to_string()).unwrap_or_default();
    let joined = Period { range: String::new(), from: date(days.first), to: date(days.last) };
    match &query.filter {
        Ok(filter) => {
            let fields = Fields { joined, ..Fields::of(filter) };
            query.with_filter(fields.applied_to(filter))
        }
        Err(_) => query.first_page(),
    }
}

impl Period {
    fn of(ranges: &[DayRange]) -> Self {
        let dates = |from: Option<chrono::NaiveDate>, to: Option<chrono::NaiveDate>| {
            let [from, to] = [from, to].map(|day| day.map(|it| it.to_string()).unwrap_or_default());
            Self { range: String::new(), from, to }
        };
        match *ranges {
            [] => Self::default(),
            [DayRange::Between(first, last)] => dates(Some(first), Some(last)),
            [DayRange::Since(first)] => dates(Some(first), None),
            [DayRange::Until(last)] => dates(None, Some(last)),
            [DayRange::Since(first), DayRange::Until(last)]
            | [DayRange::Until(last), DayRange::Since(first)] => dates(Some(first), Some(last)),
            [one] => Self { range: one.to_string(), ..Self::default() },
            // No fields can show several.
            [first, ..] => Self::of(&[first]),
        }
    }

    /// What the form shows as chosen is what applies.
    fn without_dates_beside_a_range(self) -> Self {
        match self.range.as_str() {
            "" | DATES => Self { range: String::new(), ..self },
            _ => Self { range: self.range, ..Self::default() },
        }
    }

    /// The days, if they are two dates.
    pub(super) fn dates(&self) -> Option<(chrono::NaiveDate, chrono::NaiveDate)> {
        Some((self.from.parse().ok()?, self.to.parse().ok()?))
    }

    pub(crate) fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

/// The least and the greatest number that all ranges have; "" where there is no bound.
fn ends(ranges: &[NumberRange]) -> (String, String) {
    let least = ranges.iter().map(|it| it.least).max().filter(|it| *it > 0);
    let greatest = ranges.iter().map(|it| it.greatest).min().filter(|it| *it < u32::MAX);
    let text = |number: Option<u32>| number.map(|it| it.to_string()).unwrap_or_default();
    (text(least), text(greatest))
}

/// Sets a field, unless an earlier part did.
fn fill(field: &mut String, value: String) {
    if field.is_empty() {
        *field = value;
    }
}

/// What follows the colon of a term.
fn value_of(term: &Term, is_wanted: bool) -> String {
    let text = term.to_string();
    match text.split_once(':') {
        Some((_, value)) if is_wanted => value.to_owned(),
        _ => NONE.to_owned(),
    }
}

fn searched(text: &str) -> String {
    match rollcall_domain::read_search(text) {
        Ok(term) => Filter::with(Term::Search(term)).to_string(),
        Err(_) if text.is_empty() => String::new(),
        Err(_) => quoted_in_filter(text),
    }
}

/// A term with a list of values as the language writes it; any other text is one value.
fn valued(field: &str, value: &str) -> String {
    match value {
        "" => String::new(),
        NONE => format!("-{field}:*"),
        value => {
            let text = format!("{field}:{value}");
            if is_one_term(&text) { text } else { format!("{field}:{}", quoted_in_filter(value)) }
        }
    }
}

/// A term with a comparison such as `<7d`.
fn compared(field: &str, comparison: &str) -> String {
    let sign = if comparison.starts_with([':', '<', '>']) { "" } else { ":" };
    let text = format!("{field}{sign}{comparison}");
    if is_one_term(&text) { text } else { format!("{field}:{}", quoted_in_filter(comparison)) }
}

/// A term with a range, whose ends are included; "" where one is open.
pub(super) fn ranged(field: &str, from: &str, to: &str) -> String {
    let [first, last] = [from, to].map(plain);
    match (from, to) {
        ("", "") => String::new(),
        (_, "") => format!("{field}>={first}"),
        ("", _) => format!("{field}<={last}"),
        (from, to) if from == to => format!("{field}:{first}"),
        _ => format!("{field}:{first}..{last}"),
    }
}

/// A value of a range. One that ends the term or the range is quoted as a whole, and refused.
fn plain(value: &str) -> String {
    let is_plain = value.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    if is_plain { value.to_owned() } else { quoted_in_filter(value) }
}

/// Whether a text is one term, and not several or part of one.
fn is_one_term(text: &str) -> bool {
    text.parse::<Filter>().is_ok_and(|filter| matches!(filter.node(), Node::Term(_)))
}

/// A filter in its canonical form; an invalid one as it is.
pub(super) fn canonical(text: String) -> String {
    text.parse::<Filter>().map(|filter| filter.to_string()).unwrap_or(text)
}

/// The only value of a field that is set at most once.
pub(super) fn once<'a>(
    pairs: &'a [(String, String)],
    name: &str,
) -> Result<Option<&'a str>, Failure> {
    let values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.trim());
    let mut values = values.filter(|value| !value.is_empty());
    let value = values.next();
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Failure::Invalid(format!(
            "Expected the field “{name}” only once. No users are listed."
        ))),
    }
}

#[cfg(test)]
mod tests;
