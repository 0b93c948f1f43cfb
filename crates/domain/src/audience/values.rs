//! One word of a text as a term.

use chrono_tz::TZ_VARIANTS;

use super::{
    DayField, DayRange, FIELDS, FilterError, LabelName, NumberRange, Pattern, Share, Term, Use,
    condition::Sign,
    lexer::{Letter, text_of},
};
use crate::{
    Language, MAX_LANGUAGE_CODE_CHARS, SearchTerm, StartPayload, TelegramId, read_day, read_number,
    read_search, region_of,
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
    let is_colon = rest.first().is_some_and(|it| it.letter == ':');
    field_term(&name, whole, sign, is_colon, value)
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
    sign: Sign,
    is_colon: bool,
    value: Part<'_>,
) -> Result<Term, FilterError> {
    let name = name.to_ascii_lowercase();
    if let Some(field) = DayField::ALL.into_iter().find(|field| field.name() == name) {
        return day_range(sign, value).map(|range| Term::Day(field, range));
    }
    if name == "days" {
        return number_range(sign, value).map(Term::ActiveDays);
    }
    if !is_known(&name) {
        return Err(whole.error(unknown("field", &name)));
    }
    if !is_colon {
        return Err(whole.error(format!("expected ':' after '{name}'; it cannot be compared")));
    }
    if value.letters.is_empty() {
        return Err(value.error(format!("expected a value after '{name}:'")));
    }
    match name.as_str() {
        "lang" => value.each(language).map(Term::Language),
        "source" => value.each(payload).map(Term::Source),
        "started" => value.each(payload).map(Term::Started),
        "tag" => value.each(label).map(Term::Tag),
        "group" => value.each(label).map(Term::Group),
        "segment" => value.each(label).map(Term::Segment),
        "used" => used(value),
        "zone" => value.each(zone).map(Term::Zone),
        "team" => value.each(team).map(Term::Team),
        "botlang" => value.each(bot_language).map(Term::BotLanguage),
        "id" => value.each(id).map(Term::Id),
        "random" => random(value).map(Term::Random),
        "name" => search(value).map(Term::Name),
        "has" if value.text() == "note" => Ok(Term::Note),
        "has" => Err(value.error("expected has:note")),
        _ => Err(whole.error(format!("'{name}' takes no value"))),
    }
}

/// A term without a field.
fn word(whole: Part<'_>) -> Result<Term, FilterError> {
    let (text, is_plain) = text_of(whole.letters);
    if is_plain {
        match text.to_ascii_lowercase().as_str() {
            "reachable" => return Ok(Term::Reachable),
            "blocked" => return Ok(Term::Blocked),
            "bot" => return Ok(Term::Bot),
            _ => {}
        }
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
    let name = name(Part { letters: before, ..value })?;
    let (sign, bound) = sign(rest).unwrap_or((Sign::Equal, rest));
    let bound = Part { letters: bound, at: rest.last().map_or(value.at, |it| it.at) + 1 };
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
    let text = value.text();
    let number = |text: &str| {
        let number = read_number(text).ok().filter(|_| !text.is_empty());
        number.ok_or_else(|| value.error("expected a number such as 5, or a range such as 2..5"))
    };
    match text.split_once("..") {
        Some((least, greatest)) if sign == Sign::Equal => {
            let range = NumberRange { least: number(least)?, greatest: number(greatest)? };
            if range.least > range.greatest {
                return Err(value.error("the range ends before it begins"));
            }
            Ok(range)
        }
        _ => {
            NumberRange::of(sign, number(&text)?).ok_or_else(|| value.error("no number meets this"))
        }
    }
}

fn day_range(sign: Sign, value: Part<'_>) -> Result<DayRange, FilterError> {
    let text = value.text();
    if text.is_empty() {
        return Err(value.error("expected a day such as 2026-01-31, or an age such as <14d"));
    }
    let day = |text: &str| read_day(text).map_err(|error| value.error(error.to_string()));
    if let Some((first, last)) = text.split_once("..") {
        if sign != Sign::Equal {
            return Err(value.error("expected one day after a comparison; a range follows ':'"));
        }
        let (first, last) = (day(first)?, day(last)?);
        if last < first {
            return Err(value.error("the range ends before it begins"));
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

/// The names of the fields.
fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|field| field.name.split(':').next().unwrap_or_default())
}

fn is_known(name: &str) -> bool {
    name != "@" && names().any(|known| known == name)
}

/// That a name is not known, and which known name is most like it.
fn unknown(what: &str, name: &str) -> String {
    let like = names()
        .map(|known| (strsim::osa_distance(known, name), known))
        .filter(|(distance, known)| *distance <= 2 && *distance < known.len())
        .min();
    match like {
        Some((_, known)) => format!("unknown {what} '{name}'; did you mean '{known}'?"),
        None => {
            let names: Vec<&str> = names().filter(|it| !["@", "or"].contains(it)).collect();
            let hint = "a text with one of :<>= needs quotes";
            format!("unknown {what} '{name}'; expected one of {}; {hint}", names.join(", "))
        }
    }
}
