//! One word of a text as a term.

use chrono_tz::TZ_VARIANTS;

use super::{
    DayField, DayRange, FIELDS, FilterError, LabelName, NumberRange, OfBroadcast, Pattern, Share,
    Term, Use,
    condition::Sign,
    lexer::{Letter, text_of},
    of_broadcast::read_broadcast,
};
use crate::{
    Language, MAX_LANGUAGE_CODE_CHARS, RecipientState, SearchTerm, StartPayload, TelegramId,
    read_day, read_number, read_search, region_of,
    spelling::{most_like, shortened},
};

/// A part of a word: its letters, and where it begins.
#[derive(Clone, Copy)]
struct Part<'a> {
    letters: &'a [Letter],
    at: usize,
}

impl<'a> Part<'a> {
    fn text(self) -> String {
        text_of(self.letters).0
    }

    fn error(self, message: impl Into<String>) -> FilterError {
        let at = self.letters.first().map_or(self.at, |it| it.at);
        FilterError { at, message: message.into() }
    }

    /// The parts between commas that are not in quotes.
    fn list(self) -> Vec<Self> {
        let mut at = self.at;
        let parts = self.letters.split(|it| it.letter == ',' && !it.is_quoted);
        parts
            .map(|letters| {
                let part = Part { letters, at };
                at = letters.last().map_or(at, |it| it.at + 1) + 1;
                part
            })
            .collect()
    }

    /// The two ends of a range, if it is one. Only ':' and '=' take a range.
    fn ends(self, sign: Sign, expected: &str) -> Result<Option<(Self, Self)>, FilterError> {
        let is_range = |two: &[Letter]| two.iter().all(|it| it.letter == '.');
        let Some(place) = self.letters.windows(2).position(is_range) else { return Ok(None) };
        if sign != Sign::Equal {
            return Err(self.error(format!("{expected} after a comparison; a range follows ':'")));
        }
        let (first, rest) = self.letters.split_at(place);
        let last = rest.get(2..).unwrap_or_default();
        let at = self.letters.first().map_or(self.at, |it| it.at);
        Ok(Some((Self { letters: first, at }, Self { letters: last, at: self.at })))
    }

    /// The text, and whether an asterisk that is not in quotes ended it.
    fn pattern(self) -> Pattern {
        match self.letters.split_last() {
            Some((last, letters)) if last.letter == '*' && !last.is_quoted => {
                Pattern::beginning(&text_of(letters).0)
            }
            _ => Pattern::exactly(&self.text()),
        }
    }

    fn each<T>(
        self,
        read: impl Fn(Part<'a>) -> Result<T, FilterError>,
    ) -> Result<Vec<T>, FilterError> {
        self.list().into_iter().map(read).collect()
    }
}

/// The term that a word is.
pub(super) fn term(letters: &[Letter]) -> Result<Term, FilterError> {
    let at = letters.first().map_or(0, |it| it.at);
    let whole = Part { letters, at };
    let is_sign = |it: &Letter| ":<>=".contains(it.letter) && !it.is_quoted;
    let Some(place) = letters.iter().position(is_sign) else { return word(whole) };
    let (field, rest) = letters.split_at(place);
    let (name, is_plain) = text_of(field);
    if name.is_empty() || !is_plain {
        let example = "expected a field directly before this sign, such as days>=5; a text with \
                       one of :<>= needs quotes";
        return Err(Part { letters: rest, at }.error(example));
    }
    let (sign, value) = sign(rest).unwrap_or((Sign::Equal, rest));
    let value = Part { letters: value, at: letters.last().map_or(at, |it| it.at) + 1 };
    field_term(&name, whole, Comparison { sign, signs: Part { letters: rest, at } }, value)
}

/// A comparison, and its letters, which what is compared follows.
#[derive(Clone, Copy)]
struct Comparison<'a> {
    sign: Sign,
    signs: Part<'a>,
}

impl Comparison<'_> {
    fn is_colon(self) -> bool {
        self.signs.letters.first().is_some_and(|it| it.letter == ':')
    }
}

/// A value that begins with no further sign, as in `days=>5`.
fn compared(value: Part<'_>) -> Result<Part<'_>, FilterError> {
    match value.letters.first() {
        Some(first) if !first.is_quoted && ":<>=".contains(first.letter) => {
            Err(value.error(format!(
                "expected a value, not '{}'; the comparisons are <, <=, > and >=, and a text with \
                 one of :<>= needs quotes",
                first.letter
            )))
        }
        _ => Ok(value),
    }
}

/// The comparison at the beginning of letters, and what follows it.
fn sign(letters: &[Letter]) -> Option<(Sign, &[Letter])> {
    let (first, rest) = letters.split_first()?;
    let or_equal = rest.split_first().filter(|(it, _)| it.letter == '=' && !it.is_quoted);
    Some(match (first.letter, or_equal) {
        ('<', Some((_, rest))) => (Sign::LessOrEqual, rest),
        ('>', Some((_, rest))) => (Sign::GreaterOrEqual, rest),
        ('<', None) => (Sign::Less, rest),
        ('>', None) => (Sign::Greater, rest),
        _ => (Sign::Equal, rest),
    })
}

/// A term with a field.
fn field_term(
    name: &str,
    whole: Part<'_>,
    comparison: Comparison<'_>,
    value: Part<'_>,
) -> Result<Term, FilterError> {
    let (name, sign) = (name.to_ascii_lowercase(), comparison.sign);
    if let Some(field) = DayField::ALL.into_iter().find(|field| field.name() == name) {
        return day_range(sign, compared(value)?).map(|range| Term::Day(field, range));
    }
    if name == "days" {
        return number_range(sign, compared(value)?).map(Term::ActiveDays);
    }
    if JOINTS.contains(&name.as_str()) {
        let message = format!("expected a blank after '{name}'; a text with a sign needs quotes");
        return Err(comparison.signs.error(message));
    }
    if !is_known(&name) {
        return Err(whole.error(unknown(&name)));
    }
    if flag(&name).is_some() {
        let hint = if name == "blocked" { ", or a day such as blocked_at<7d" } else { "" };
        let message = format!("'{name}' takes no value; expected the word alone{hint}");
        return Err(comparison.signs.error(message));
    }
    if !comparison.is_colon() {
        let message = format!("'{name}' cannot be compared; expected ':' and a value after it");
        return Err(comparison.signs.error(message));
    }
    if value.letters.is_empty() {
        return Err(value.error(format!("expected a value after '{name}:'")));
    }
    let value = compared(value)?;
    match name.as_str() {
        "lang" => value.each(language).map(Term::Language),
        "source" => value.each(payload).map(Term::Source),
        "started" => value.each(payload).map(Term::Started),
        "tag" => value.each(label).map(Term::Tag),
        "group" => value.each(label).map(Term::Group),
        "segment" => value.each(label).map(Term::Segment),
        "used" => used(value),
        "broadcast" => value.each(of_broadcast).map(Term::Broadcast),
        "pressed" => value.each(broadcast).map(Term::Pressed),
        "opted_out" => value.each(label).map(Term::OptedOut),
        "capped" => value.each(label).map(Term::Capped),
        "zone" => value.each(zone).map(Term::Zone),
        "team" => value.each(team).map(Term::Team),
        "botlang" => value.each(bot_language).map(Term::BotLanguage),
        "id" => value.each(id).map(Term::Id),
        "random" => random(value).map(Term::Random),
        "name" => search(value).map(Term::Name),
        "has" if value.text().eq_ignore_ascii_case("note") => Ok(Term::Note),
        _ => Err(value.error("expected has:note")),
    }
}

/// The term of a word that takes no value.
fn flag(name: &str) -> Option<Term> {
    match name {
        "reachable" => Some(Term::Reachable),
        "blocked" => Some(Term::Blocked),
        "bot" => Some(Term::Bot),
        _ => None,
    }
}

/// A term without a field.
fn word(whole: Part<'_>) -> Result<Term, FilterError> {
    let (text, is_plain) = text_of(whole.letters);
    if is_plain && let Some(term) = flag(&text.to_ascii_lowercase()) {
        return Ok(term);
    }
    match whole.letters.split_first() {
        Some((sign, name)) if sign.letter == '@' && !sign.is_quoted => {
            let name = Part { letters: name, at: whole.at + 1 };
            username(name).map(Term::Username)
        }
        _ => search(whole).map(Term::Search),
    }
}

fn search(value: Part<'_>) -> Result<SearchTerm, FilterError> {
    read_search(&value.text()).map_err(|error| value.error(error.to_string()))
}

fn username(value: Part<'_>) -> Result<Pattern, FilterError> {
    let pattern = value.pattern();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let fits = pattern.text.len() <= 32
        && pattern.text.bytes().all(allowed)
        && (pattern.is_beginning || !pattern.text.is_empty());
    let expected = "expected a username after '@': up to 32 of A-Z, a-z, 0-9 and _";
    if fits { Ok(pattern) } else { Err(value.error(expected)) }
}

fn language(value: Part<'_>) -> Result<Pattern, FilterError> {
    let pattern = value.pattern();
    let chars = pattern.text.chars().count();
    let fits = chars <= MAX_LANGUAGE_CODE_CHARS && (chars > 0 || pattern.is_beginning);
    let expected = "expected a language such as en, pt-br or pt*";
    if fits { Ok(pattern) } else { Err(value.error(expected)) }
}

fn payload(value: Part<'_>) -> Result<Pattern, FilterError> {
    let pattern = value.pattern();
    let is_any = pattern.is_beginning && pattern.text.is_empty();
    let fits = is_any || pattern.text.parse::<StartPayload>().is_ok();
    let expected = "expected the payload of a deep link: up to 64 of A-Z, a-z, 0-9, _ and -; \
                    '*' at the end stands for any rest";
    if fits { Ok(pattern) } else { Err(value.error(expected)) }
}

fn label(value: Part<'_>) -> Result<LabelName, FilterError> {
    value.text().parse().map_err(|error: super::InvalidLabelName| value.error(error.to_string()))
}

/// A command or a kind of button, or several, or one with a condition.
fn used(value: Part<'_>) -> Result<Term, FilterError> {
    let is_sign = |it: &Letter| "<>=:".contains(it.letter) && !it.is_quoted;
    let name = |part: Part<'_>| {
        let expected = "expected a command such as /start, or a kind of button such as settings";
        Use::new(&part.text()).ok_or_else(|| part.error(expected))
    };
    let Some(place) = value.letters.iter().position(is_sign) else {
        return value.each(name).map(Term::Used);
    };
    let (before, rest) = value.letters.split_at(place);
    let command = Part { letters: before, ..value };
    if let [_, second, ..] = command.list().as_slice() {
        let message = "expected one command before a comparison; join several by `or`";
        return Err(second.error(message));
    }
    let name = name(command)?;
    let (sign, bound) = sign(rest).unwrap_or((Sign::Equal, rest));
    let bound = Part { letters: bound, at: rest.last().map_or(value.at, |it| it.at) + 1 };
    let bound = compared(bound)?;
    let is_number = bound.text().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number && !bound.letters.is_empty() {
        return number_range(sign, bound).map(|range| Term::UsedDays(name, range));
    }
    let days = day_range(sign, bound).map_err(|error| FilterError {
        message: format!("{}; or a number of days such as >=3", error.message),
        ..error
    });
    days.map(|days| Term::UsedOn(name, days))
}

fn of_broadcast(value: Part<'_>) -> Result<OfBroadcast, FilterError> {
    OfBroadcast::read(&value.text().to_ascii_lowercase()).ok_or_else(|| {
        let states = RecipientState::ALL.map(RecipientState::name).join(", ");
        value.error(format!(
            "expected the number of a broadcast, such as 12, or a number and a state, such as \
             12:failed; the states are {states}"
        ))
    })
}

fn broadcast(value: Part<'_>) -> Result<i64, FilterError> {
    read_broadcast(&value.text())
        .ok_or_else(|| value.error("expected the number of a broadcast, such as 12"))
}

fn zone(value: Part<'_>) -> Result<Pattern, FilterError> {
    let Pattern { text, is_beginning } = value.pattern();
    let mut names = TZ_VARIANTS.iter().filter(|zone| region_of(**zone).is_some());
    let known = names.find_map(|zone| {
        let name = zone.name();
        let beginning = if is_beginning { name.get(..text.len())? } else { name };
        beginning.eq_ignore_ascii_case(&text).then_some(beginning)
    });
    match known {
        Some(text) => Ok(Pattern { text: text.to_owned(), is_beginning }),
        None => Err(value.error("expected a time zone such as Europe/Berlin or Europe/*")),
    }
}

fn team(value: Part<'_>) -> Result<String, FilterError> {
    let text = value.text();
    let fits = (1..=8).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_alphanumeric());
    let expected = "expected the abbreviation of a team, such as TOR";
    if fits { Ok(text.to_ascii_uppercase()) } else { Err(value.error(expected)) }
}

fn bot_language(value: Part<'_>) -> Result<Language, FilterError> {
    let codes = Language::ALL.map(Language::code).join(", ");
    Language::from_code(&value.text().to_ascii_lowercase())
        .ok_or_else(|| value.error(format!("expected a language of the bot: {codes}")))
}

fn id(value: Part<'_>) -> Result<TelegramId, FilterError> {
    let text = value.text();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|_| is_number);
    id.ok_or_else(|| value.error("expected the Telegram id of a user, such as 1815"))
}

fn random(value: Part<'_>) -> Result<Share, FilterError> {
    let text = value.text();
    let read = || {
        let (share, seed) = text.split_once(':')?;
        let (whole, rest) = match share.strip_suffix('%')?.split_once('.') {
            Some((whole, rest)) if (1..=2).contains(&rest.len()) => (whole, rest),
            Some(_) => return None,
            None => (share.strip_suffix('%')?, ""),
        };
        let parts =
            read_number(&format!("{whole}{rest:0<2}")).ok().filter(|_| !whole.is_empty())?;
        Share::new(u16::try_from(parts).ok()?, seed)
    };
    read().ok_or_else(|| {
        value.error("expected a share from 0.01% to 100% and a seed, such as random:10%:seed")
    })
}

fn number_range(sign: Sign, value: Part<'_>) -> Result<NumberRange, FilterError> {
    let number = |part: Part<'_>| {
        let expected = "expected a number such as 5, or a range such as 2..5";
        let number = read_number(&part.text()).ok().filter(|_| !part.letters.is_empty());
        number.ok_or_else(|| part.error(expected))
    };
    if let Some((least, greatest)) = value.ends(sign, "expected one number")? {
        let range = NumberRange { least: number(least)?, greatest: number(greatest)? };
        return if range.least <= range.greatest {
            Ok(range)
        } else {
            Err(value.error("the range ends before it begins; expected the smaller number first"))
        };
    }
    let number = number(value)?;
    NumberRange::of(sign, number).ok_or_else(|| {
        value.error(match sign {
            Sign::Less => "no number is less than 0; expected 1 or more".to_owned(),
            _ => format!("no number is more than {number}; expected a smaller one"),
        })
    })
}

fn day_range(sign: Sign, value: Part<'_>) -> Result<DayRange, FilterError> {
    let text = value.text();
    if text.is_empty() {
        return Err(value.error("expected a day such as 2026-01-31, or an age such as <14d"));
    }
    let day = |part: Part<'_>| {
        read_day(&part.text())
            .map_err(|_| part.error("expected a range of two days, such as 2026-01-01..2026-01-31"))
    };
    if let Some((first, last)) = value.ends(sign, "expected one day")? {
        let (first, last) = (day(first)?, day(last)?);
        if last < first {
            return Err(
                value.error("the range ends before it begins; expected the earlier day first")
            );
        }
        return Ok(DayRange::Between(first, last));
    }
    let unit = |unit: char, days: u32| text.strip_suffix(unit).map(|number| (number, days));
    let Some((number, days)) = unit('d', 1).or_else(|| unit('w', 7)) else {
        let expected = "expected a day such as 2026-01-31, a range such as \
                        2026-01-01..2026-01-31, or an age such as <14d";
        let day = read_day(&text).map_err(|_| value.error(expected))?;
        return Ok(DayRange::of_day(sign, day));
    };
    let age = read_number(number).ok().filter(|_| !number.is_empty());
    let age = age.and_then(|age| age.checked_mul(days)).filter(|age| *age <= MAX_AGE);
    let age = age.ok_or_else(|| {
        value.error(format!("expected an age of up to {MAX_AGE} days, such as 14d or 2w"))
    })?;
    DayRange::of_age(sign, age).ok_or_else(|| {
        value.error("expected <, <=, > or >= before an age: <14d means within the last 14 days")
    })
}

/// The greatest age in days: a hundred years.
const MAX_AGE: u32 = 36_500;

/// The words that join terms.
const JOINTS: [&str; 3] = ["or", "and", "not"];

/// The names of the fields.
fn names() -> impl Iterator<Item = &'static str> {
    let names = FIELDS.iter().map(|field| field.name.split(':').next().unwrap_or_default());
    names.filter(|name| *name != "@" && !JOINTS.contains(name))
}

fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// That a field is not known, and which one is most like it.
fn unknown(name: &str) -> String {
    if let Some(known) = most_like(names(), name) {
        return format!("unknown field '{name}'; did you mean '{known}'?");
    }
    let names: Vec<&str> = names().collect();
    format!(
        "unknown field '{}'; expected one of {}; a text with one of :<>= needs quotes",
        shortened(name),
        names.join(", ")
    )
}
