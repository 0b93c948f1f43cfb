//! A filter as text, in its canonical form.

use std::fmt::{self, Display, Formatter};

use super::{DayRange, Filter, NumberRange, Pattern, Term, filter::Node};
use crate::{Language, SearchTerm};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => joined(f, parts, " ", |part| matches!(part, Self::Any(_))),
            Self::Any(parts) => joined(f, parts, " or ", |_| false),
            Self::Not(part) => {
                f.write_str("-")?;
                in_parentheses(f, part, matches!(**part, Self::All(_) | Self::Any(_)))
            }
            Self::Term(term) => Display::fmt(term, f),
        }
    }
}

fn joined(
    f: &mut Formatter<'_>,
    parts: &[Node],
    between: &str,
    needs_parentheses: impl Fn(&Node) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(between)?;
        }
        in_parentheses(f, part, needs_parentheses(part))?;
    }
    Ok(())
}

fn in_parentheses(f: &mut Formatter<'_>, part: &Node, needed: bool) -> fmt::Result {
    if needed { write!(f, "({part})") } else { Display::fmt(part, f) }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Language(codes) => list(f, "lang:", codes),
            Self::Source(payloads) => list(f, "source:", payloads),
            Self::Started(payloads) => list(f, "started:", payloads),
            Self::Tag(names) => list(f, "tag:", names),
            Self::Group(names) => list(f, "group:", names),
            Self::Segment(names) => list(f, "segment:", names),
            Self::Reachable => f.write_str("reachable"),
            Self::Blocked => f.write_str("blocked"),
            Self::Bot => f.write_str("bot"),
            Self::Day(field, days) => write!(f, "{}{days}", field.name()),
            Self::ActiveDays(days) => write!(f, "days{days}"),
            Self::Used(names) => {
                let names: Vec<&str> = names.iter().map(super::Use::as_str).collect();
                list(f, "used:", &names)
            }
            Self::UsedOn(name, days) => write!(f, "used:{}{days}", name.as_str()),
            Self::UsedDays(name, days) => write!(f, "used:{}{days}", name.as_str()),
            Self::Broadcast(all) => list(f, "broadcast:", all),
            Self::Pressed(all) => list(f, "pressed:", all),
            Self::OptedOut(names) => list(f, "opted_out:", names),
            Self::Capped(names) => list(f, "capped:", names),
            Self::Zone(zones) => list(f, "zone:", zones),
            Self::Team(teams) => list(f, "team:", teams),
            Self::BotLanguage(languages) => {
                let codes: Vec<&str> = languages.iter().copied().map(Language::code).collect();
                list(f, "botlang:", &codes)
            }
            Self::Note => f.write_str("has:note"),
            Self::Name(term) => write!(f, "name:{}", quoted_in_filter(term.as_str())),
            Self::Username(name) => write!(f, "@{name}"),
            Self::Id(ids) => {
                let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
                list(f, "id:", &ids)
            }
            Self::Random(share) => {
                let (whole, rest) = (share.parts / 100, share.parts % 100);
                let rest = if rest == 0 { String::new() } else { format!(".{rest:02}") };
                write!(f, "random:{whole}{rest}%:{}", share.seed)
            }
            Self::Search(term) => f.write_str(&word(term)),
        }
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, field: &str, values: &[T]) -> fmt::Result {
    f.write_str(field)?;
    for (place, value) in values.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        write!(f, "{comma}{value}")?;
    }
    Ok(())
}

/// A search term in quotes where the language needs them.
fn word(term: &SearchTerm) -> String {
    let text = term.as_str();
    let words = ["or", "and", "not", "reachable", "blocked", "bot"];
    let is_reserved = words.iter().any(|word| text.eq_ignore_ascii_case(word));
    let has_sign = text.contains(|it: char| it.is_whitespace() || "\"\\():<>=,*".contains(it));
    if is_reserved || has_sign || text.starts_with(['-', '@']) {
        quoted_in_filter(text)
    } else {
        text.to_owned()
    }
}

/// A value in quotes, where no character has a meaning of its own.
pub fn quoted_in_filter(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_plain = |it: char| it.is_ascii_alphanumeric() || "_-/+".contains(it);
        if self.text.chars().all(is_plain) {
            f.write_str(&self.text)?;
        } else {
            f.write_str(&quoted_in_filter(&self.text))?;
        }
        f.write_str(if self.is_beginning { "*" } else { "" })
    }
}

impl Display for DayRange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(first, last) if first == last => write!(f, ":{first}"),
            Self::Between(first, last) => write!(f, ":{first}..{last}"),
            Self::Before(day) => write!(f, "<{day}"),
            Self::Until(day) => write!(f, "<={day}"),
            Self::After(day) => write!(f, ">{day}"),
            Self::Since(day) => write!(f, ">={day}"),
            Self::YoungerThan(age) => write!(f, "<{age}d"),
            Self::NotOlderThan(age) => write!(f, "<={age}d"),
            Self::OlderThan(age) => write!(f, ">{age}d"),
            Self::NotYoungerThan(age) => write!(f, ">={age}d"),
        }
    }
}

impl Display for NumberRange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.least, self.greatest) {
            (least, greatest) if least == greatest => write!(f, ":{least}"),
            (least, u32::MAX) => write!(f, ">={least}"),
            (0, greatest) => write!(f, "<={greatest}"),
            (least, greatest) => write!(f, ":{least}..{greatest}"),
        }
    }
}
