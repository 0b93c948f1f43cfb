//! Times in files.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};

use crate::text::quoted;

/// Formats a time as `2026-11-23T12:00:00.000000Z`, with the precision in which it is stored. It is
/// written digit by digit, because a file has several times for each user and chrono is ten times
/// slower.
pub(super) fn written(at: DateTime<Utc>) -> String {
    let at = at.naive_utc();
    let mut text = String::with_capacity(27);
    let mut push = |number: u32, digits: u32, after: char| {
        for place in (0..digits).rev() {
            let digit = number / 10_u32.pow(place) % 10;
            text.push(char::from_digit(digit, 10).unwrap_or('0'));
        }
        text.push(after);
    };
    push(at.year().unsigned_abs(), 4, '-');
    push(at.month(), 2, '-');
    push(at.day(), 2, 'T');
    push(at.hour(), 2, ':');
    push(at.minute(), 2, ':');
    push(at.second(), 2, '.');
    push(at.and_utc().timestamp_subsec_micros(), 6, 'Z');
    text
}

/// Parses a time, or returns what is wrong with it. Without a zone, it is in UTC.
pub(super) fn read(text: &str) -> Result<DateTime<Utc>, String> {
    let at = match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.to_utc(),
        Err(_) => read_spreadsheets(text).ok_or_else(|| {
            format!("expected a time such as 2026-11-23T12:00:00Z, not {}", quoted(text))
        })??,
    };
    // The years that both databases can store.
    let years = 1970..=9999;
    if !years.contains(&at.year()) {
        return Err(format!("expected a year from 1970 to 9999, not {}", quoted(text)));
    }
    DateTime::from_timestamp_micros(at.timestamp_micros()).ok_or_else(|| "no time".to_owned())
}

/// Parses the formats of spreadsheets: `2026-11-01 10:00`, `01.11.2026 10:00:00,5` or `11/13/2026
/// 10:00 PM`, with or without the time of day or a zone. Returns `None` for other text, and an
/// error if it could be two different days.
fn read_spreadsheets(text: &str) -> Option<Result<DateTime<Utc>, String>> {
    let text = text.trim();
    let end = text.find(|it: char| !matches!(it, '0'..='9' | '-' | '/' | '.'));
    let (day, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    let rest = rest.strip_prefix(['T', 't', ',']).unwrap_or(rest).trim_start();
    let (time, offset) = if rest.is_empty() {
        (NaiveTime::MIN, TimeDelta::zero())
    } else {
        let end = rest.find(|it: char| !matches!(it, '0'..='9' | ':' | '.' | ','));
        let (clock, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let (half, zone) = half_of_day(rest.trim_start());
        (time_of(clock, half)?, offset_of(zone.trim())?)
    };
    let at = |day: NaiveDate| Some(day.and_time(time).checked_sub_signed(offset)?.and_utc());
    match days_of(day)? {
        (day, None) => at(day).map(Ok),
        (day, Some(other)) => Some(Err(format!(
            "{} may be {day} or {other}; expected a time such as 2026-11-23T12:00:00Z",
            quoted(text)
        ))),
    }
}

/// The day that three numbers mean, and the other possible day if there are two.
fn days_of(text: &str) -> Option<(NaiveDate, Option<NaiveDate>)> {
    let separator = text.chars().find(|it| !it.is_ascii_digit())?;
    let (first, rest) = text.split_once(separator)?;
    let (second, third) = rest.split_once(separator)?;
    let lengths = [first, second, third].map(str::len);
    let (first, second, third) = (number(first)?, number(second)?, number(third)?);
    let day = |year: u32, month, day| NaiveDate::from_ymd_opt(year.try_into().ok()?, month, day);
    match (lengths, separator) {
        ([4, 1..=2, 1..=2], _) => Some((day(first, second, third)?, None)),
        ([1..=2, 1..=2, 4], '.') => Some((day(third, second, first)?, None)),
        ([1..=2, 1..=2, 4], _) => match (day(third, second, first), day(third, first, second)) {
            (Some(one), Some(other)) if one != other => Some((one, Some(other))),
            (one, other) => Some((one.or(other)?, None)),
        },
        _ => None,
    }
}

/// Parses `AM` or `PM`, and returns the rest of the text.
fn half_of_day(text: &str) -> (Option<Half>, &str) {
    match text.split_at_checked(2) {
        Some((name, rest)) if name.eq_ignore_ascii_case("AM") => (Some(Half::Am), rest),
        Some((name, rest)) if name.eq_ignore_ascii_case("PM") => (Some(Half::Pm), rest),
        _ => (None, text),
    }
}

#[derive(Clone, Copy)]
enum Half {
    Am,
    Pm,
}

/// Parses `10:00`, `10:00:00` or `10:00:00.5`. It rejects `00:00.0`, which is how spreadsheets
/// write minutes and seconds.
fn time_of(text: &str, half: Option<Half>) -> Option<NaiveTime> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
    let (second, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, "0"));
    let hour = match (number(hour)?, half) {
        (hour, None) => hour,
        (hour @ 1..=12, Some(Half::Am)) => hour % 12,
        (hour @ 1..=12, Some(Half::Pm)) => hour % 12 + 12,
        _ => return None,
    };
    let nanoseconds = number(format!("{fraction:0<9}").get(..9)?)?;
    NaiveTime::from_hms_nano_opt(hour, number(minute)?, number(second)?, nanoseconds)
}

/// Parses a zone: nothing, `Z`, `UTC`, `GMT`, `+02`, `+0200` or `+02:00`.
fn offset_of(text: &str) -> Option<TimeDelta> {
    if ["", "Z", "UTC", "GMT"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
        return Some(TimeDelta::zero());
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_at_checked(2)?;
    let minutes = match minutes.strip_prefix(':').unwrap_or(minutes) {
        "" => 0,
        minutes if minutes.len() == 2 => number(minutes)?,
        _ => return None,
    };
    let minutes = i64::from(number(hours)? * 60 + minutes);
    match sign {
        "+" => Some(TimeDelta::minutes(minutes)),
        "-" => Some(TimeDelta::minutes(-minutes)),
        _ => None,
    }
}

/// Parses a number that consists of digits only.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_as_chrono_writes_them() {
        for seconds in [0, 1, 951_782_399, 1_700_000_000, 253_402_300_799] {
            for nanoseconds in [0, 1_000, 123_456_000, 999_999_000] {
                let at = DateTime::from_timestamp(seconds, nanoseconds).unwrap();
                assert_eq!(written(at), at.to_rfc3339_opts(SecondsFormat::Micros, true));
                assert_eq!(read(&written(at)), Ok(at));
            }
        }
        let later = read("2026-11-23T14:00:00.1234567+02:00").unwrap();
        assert_eq!(written(later), "2026-11-23T12:00:00.123456Z");
    }

    #[test]
    fn times_of_spreadsheets_are_read() {
        for (text, time) in [
            ("2026-11-01 10:00", "2026-11-01T10:00:00Z"),
            ("2026-11-01 10:00:30", "2026-11-01T10:00:30Z"),
            ("2026-11-01 10:00:00.000", "2026-11-01T10:00:00Z"),
            ("2026-11-01T10:00", "2026-11-01T10:00:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-1 9:05", "2026-11-01T09:05:00Z"),
            ("2026/11/01 10:00", "2026-11-01T10:00:00Z"),
            ("2026-11-01 10:00:00 UTC", "2026-11-01T10:00:00Z"),
            ("2026-11-01 10:00:00+02", "2026-11-01T08:00:00Z"),
            ("2026-11-01 10:00 -0530", "2026-11-01T15:30:00Z"),
            (" 2026-11-01 10:00:00Z\u{a0}", "2026-11-01T10:00:00Z"),
            ("01.11.2026 10:00", "2026-11-01T10:00:00Z"),
            ("1.11.2026 9:05:06,25", "2026-11-01T09:05:06.25Z"),
            ("13.11.2026", "2026-11-13T00:00:00Z"),
            ("13/11/2026 10:00", "2026-11-13T10:00:00Z"),
            ("11/13/2026 10:00", "2026-11-13T10:00:00Z"),
            ("11/13/2026, 12:00:00 AM", "2026-11-13T00:00:00Z"),
            ("11/13/2026 12:30 pm", "2026-11-13T12:30:00Z"),
            ("11/13/2026 1:05:06 PM", "2026-11-13T13:05:06Z"),
            ("11/11/2026", "2026-11-11T00:00:00Z"),
            ("29-02-2028 00:00", "2028-02-29T00:00:00Z"),
        ] {
            assert_eq!(read(text), Ok(time.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_time_on_one_of_two_days_is_refused() {
        for text in ["01/11/2026 10:00", "1/11/2026", "11-01-2026 10:00 PM"] {
            let refused = read(text).unwrap_err();
            for part in [" may be ", "2026-01-11", "2026-11-01", "such as 2026-11-23T12:00:00Z"] {
                assert!(refused.contains(part), "{refused}");
            }
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "yesterday",
            "00:00.0",
            "2026-11-01 00:00.0",
            "46327.4166666667",
            "20261101",
            "2026-11",
            "2026-11-01-02",
            "2026-02-29",
            "32.11.2026",
            "11.13.2026",
            "31/13/2026",
            "01.11.26 10:00",
            "2026-11-01 24:00",
            "2026-11-01 13:00 PM",
            "2026-11-01 10:60",
            "2026-11-01 10",
            "2026-11-01 10:00:00:00",
            "2026-11-01 10:00 CET",
            "2026-11-01 10:00+2",
            "2026-11-01 +10:00",
            "1969-12-31T23:59:59Z",
            "31.12.1969",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in "[0-9:./, TZ+APM-]{0,24}|\\PC{0,24}") {
            if let Ok(at) = read(&text) {
                prop_assert_eq!(read(&written(at)), Ok(at));
            }
        }
    }
}
