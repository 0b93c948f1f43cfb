//! One term as a condition.

use std::collections::BTreeMap;

use rollcall_domain::{
    DayField, DayRange, Days, LabelKind, LabelName, Language, NumberRange, OfBroadcast, Pattern,
    Selection, Share, ShareNumbers, Term, Use,
};

use super::Known;
use crate::{
    base::timestamp::storable,
    broadcasts::week::Week,
    directory::{order::time, sql::Sql},
};

/// Rows of another table. A term about them selects the users who have one that meets a condition.
#[derive(PartialEq, Eq)]
pub(in crate::directory) struct Rows {
    /// The table, with others that it is joined with.
    pub(in crate::directory) from: &'static str,
    /// The table with the column `telegram_id`.
    pub(in crate::directory) table: &'static str,
    /// What a row must meet.
    pub(in crate::directory) condition: Sql,
}

/// The rows that a term is about; `None` if it is about the user's own row or about none.
pub(in crate::directory) fn rows_of(
    term: &Term,
    selection: &Selection,
    known: &Known,
) -> Option<Rows> {
    Some(match term {
        Term::Started(payloads) => Rows::of("starts", any_of("starts.payload", payloads)),
        Term::Tag(names) => labelled(&known.labels_of(LabelKind::Tag, names))?,
        Term::Group(names) => labelled(&known.labels_of(LabelKind::Group, names))?,
        Term::Used(names) => {
            let names = names.iter().map(Use::as_str);
            Rows::of("command_uses", one_of("command_uses.command", names))
        }
        Term::UsedOn(name, range) => {
            let days = days("command_uses.last_day", selection.days(*range));
            used(name, &days)
        }
        Term::UsedDays(name, range) => used(name, &numbers("command_uses.days", *range)),
        Term::Broadcast(all) => Rows::of("broadcast_recipients", recipients(all)),
        Term::Pressed(all) => {
            let all: Vec<String> = all.iter().map(i64::to_string).collect();
            let condition = format!("broadcast_presses.broadcast IN ({})", all.join(", "));
            Rows::of("broadcast_presses", Sql::new(condition))
        }
        Term::OptedOut(names) => {
            let names = names.iter().map(LabelName::as_str);
            Rows::of("opt_outs", one_of("opt_outs.category", names))
        }
        Term::Zone(zones) => Rows::of("preferences", any_of("preferences.time_zone", zones)),
        Term::Team(teams) => Rows {
            from: "favourite_teams JOIN teams ON teams.id = favourite_teams.team",
            table: "favourite_teams",
            condition: one_of("teams.abbreviation", teams.iter().map(String::as_str)),
        },
        Term::BotLanguage(languages) => {
            let codes = languages.iter().copied().map(Language::code);
            Rows::of("preferences", one_of("preferences.language", codes))
        }
        Term::Note => Rows::of("notes", Sql::new("TRUE")),
        _ => return None,
    })
}

impl Rows {
    fn of(table: &'static str, condition: Sql) -> Self {
        Self { from: table, table, condition }
    }

    /// That a user has such a row.
    fn exist(self) -> Sql {
        let Self { from, table, condition } = self;
        Sql::exists(from, table, condition)
    }
}

/// A term as a condition; `None` if it depends on names.
pub(super) fn term_sql(term: &Term, selection: &Selection, known: &Known) -> Option<Sql> {
    if let Some(rows) = rows_of(term, selection, known) {
        return Some(rows.exist());
    }
    Some(match term {
        Term::Language(patterns) => language(patterns, known),
        Term::Source(payloads) => any_of("users.source", payloads),
        Term::Reachable => Sql::new("(users.has_private_chat AND users.obstacle IS NULL)"),
        Term::Blocked => Sql::new("users.obstacle = 'blocked'"),
        Term::Bot => Sql::new("users.is_bot"),
        Term::Day(field, range) => day(*field, *range, selection),
        Term::ActiveDays(range) => Sql::new(numbers("users.active_days", *range)),
        Term::Username(name) => any_of_lower("users.username", std::slice::from_ref(name), known),
        Term::Id(ids) => {
            let ids: Vec<String> = ids.iter().map(|id| id.get().to_string()).collect();
            Sql::new(format!("users.telegram_id IN ({})", ids.join(", ")))
        }
        Term::Random(share) => random(share),
        Term::Capped(names) => {
            let weeks = names.iter().filter_map(|name| known.weeks.get(name));
            Sql::combined(weeks.map(capped).collect(), " OR ", "FALSE")
        }
        Term::Name(_) | Term::Search(_) => return None,
        // Labels that do not exist, and segments: those were replaced by their filters.
        _ => Sql::new("FALSE"),
    })
}

/// The recipients of some broadcasts with some states.
fn recipients(all: &[OfBroadcast]) -> Sql {
    let mut states: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for OfBroadcast { broadcast, state } in all {
        states.entry(*broadcast).or_default().push(format!("'{}'", state.name()));
    }
    let of_one = |(broadcast, states): (i64, Vec<String>)| {
        Sql::new(format!(
            "broadcast_recipients.broadcast = {broadcast} AND broadcast_recipients.state IN ({})",
            states.join(", ")
        ))
    };
    let mut parts: Vec<Sql> = states.into_iter().map(of_one).collect();
    if parts.len() == 1 { parts.remove(0) } else { Sql::combined(parts, " OR ", "FALSE") }
}

/// That a user had as many messages of a category as its cap allows. The primary key finds them, so this
/// looks up few rows for each user.
fn capped(Week { cap, broadcasts, since }: &Week) -> Sql {
    if broadcasts.is_empty() {
        return Sql::new("FALSE");
    }
    let broadcasts: Vec<String> = broadcasts.iter().map(i64::to_string).collect();
    let had = Week::HAD.map(|state| format!("'{}'", state.name()));
    Sql::new(format!(
        "(SELECT COUNT(*) FROM broadcast_recipients AS messages WHERE messages.telegram_id = \
         users.telegram_id AND messages.broadcast IN ({}) AND messages.state IN ({}) AND \
         messages.at > {}) >= {cap}",
        broadcasts.join(", "),
        had.join(", "),
        time(*since),
    ))
}

fn used(name: &Use, condition: &str) -> Rows {
    let command = Sql::with("command_uses.command = $", name.as_str());
    Rows::of("command_uses", Sql::between("", command, &format!(" AND {condition}")))
}

/// The rows of labels; `None` if there are none.
fn labelled(labels: &[i32]) -> Option<Rows> {
    if labels.is_empty() {
        return None;
    }
    let labels: Vec<String> = labels.iter().map(i32::to_string).collect();
    let condition = format!("user_labels.label IN ({})", labels.join(", "));
    Some(Rows::of("user_labels", Sql::new(condition)))
}

/// That a column has one of some values.
fn one_of<'a>(column: &str, values: impl Iterator<Item = &'a str>) -> Sql {
    let mut values: Vec<&str> = values.collect();
    values.sort_unstable();
    values.dedup();
    match values.as_slice() {
        [] => Sql::new("FALSE"),
        [value] => Sql::with(&format!("{column} = $"), value),
        values => {
            let values = values.iter().map(|value| Sql::with("$", value)).collect();
            Sql::between(&format!("{column} IN "), Sql::joined(values, ", ", ""), "")
        }
    }
}

/// That a column matches one of some patterns, with case.
fn any_of(column: &str, patterns: &[Pattern]) -> Sql {
    let beginnings = patterns.iter().filter(|it| it.is_beginning);
    let exact = patterns.iter().filter(|it| !it.is_beginning);
    let mut parts: Vec<Sql> = beginnings.map(|pattern| begins(column, &pattern.text)).collect();
    let exact: Vec<&str> = exact.map(|it| it.text.as_str()).collect();
    if !exact.is_empty() {
        parts.push(one_of(column, exact.into_iter()));
    }
    if parts.len() == 1 { parts.remove(0) } else { Sql::combined(parts, " OR ", "FALSE") }
}

/// That a column begins with a text. LIKE would give some characters a meaning of their own.
fn begins(column: &str, text: &str) -> Sql {
    match text.chars().count() {
        0 => Sql::new(format!("{column} IS NOT NULL")),
        length => Sql::with(&format!("SUBSTR({column}, 1, {length}) = $"), text),
    }
}

fn language(patterns: &[Pattern], known: &Known) -> Sql {
    if patterns.iter().any(|it| it.is_beginning && it.text.is_empty()) {
        return Sql::new("users.language_code IS NOT NULL");
    }
    if let Some(codes) = known.languages_of(patterns) {
        return one_of("users.language_code", codes.into_iter());
    }
    any_of_lower("users.language_code", patterns, known)
}

/// That a column matches one of some patterns, where the case of A to Z is ignored. Without its own
/// collation, PostgreSQL would lower letters as the database's locale does, in Turkish I to ı.
fn any_of_lower(column: &str, patterns: &[Pattern], known: &Known) -> Sql {
    let collation = if known.is_postgres { " COLLATE \"C\"" } else { "" };
    let lower = |it: &Pattern| Pattern { text: it.text.to_ascii_lowercase(), ..it.clone() };
    let patterns: Vec<Pattern> = patterns.iter().map(lower).collect();
    any_of(&format!("LOWER({column}{collation})"), &patterns)
}

fn random(share: &Share) -> Sql {
    let ShareNumbers { prime, add, multiply, limit } = share.numbers();
    let moved = format!("((users.telegram_id + {add}) % {prime})");
    Sql::new(format!("({moved} * {moved} % {prime}) * {multiply} % {prime} < {limit}"))
}

fn day(field: DayField, range: DayRange, selection: &Selection) -> Sql {
    let (from, before) = selection.moments(range);
    let moments = |column: &str| bounds(column, [(">=", from.map(time)), ("<", before.map(time))]);
    Sql::new(match field {
        DayField::Joined => moments("users.created_at"),
        DayField::BlockedAt => moments("users.blocked_at"),
        // The day has an index, and the moment has none.
        DayField::Seen if selection.is_in_utc() => days("users.active_day", selection.days(range)),
        DayField::Seen => {
            let day = |at: chrono::DateTime<chrono::Utc>| at.date_naive();
            let utc = Days { first: from.map(day), last: before.map(day) };
            format!("{} AND {}", moments("users.last_seen"), days("users.active_day", utc))
        }
    })
}

fn days(column: &str, Days { first, last }: Days) -> String {
    let text = |day| format!("'{}'", storable(day));
    bounds(column, [(">=", first.map(text)), ("<=", last.map(text))])
}

fn numbers(column: &str, NumberRange { least, greatest }: NumberRange) -> String {
    // The column has 31 bits.
    let text = |number: u32| i32::try_from(number).unwrap_or(i32::MAX).to_string();
    if i32::try_from(least).is_err() {
        return "FALSE".to_owned();
    }
    let least = (least > 0).then(|| text(least));
    let greatest = i32::try_from(greatest).is_ok().then(|| text(greatest));
    bounds(column, [(">=", least), ("<=", greatest)])
}

/// That a column has a value within the bounds that are given.
fn bounds(column: &str, bounds: [(&str, Option<String>); 2]) -> String {
    let bound = |(sign, value): (&str, Option<String>)| Some(format!("{column} {sign} {}", value?));
    let bounds: Vec<String> = bounds.into_iter().filter_map(bound).collect();
    if bounds.is_empty() { format!("{column} IS NOT NULL") } else { bounds.join(" AND ") }
}
