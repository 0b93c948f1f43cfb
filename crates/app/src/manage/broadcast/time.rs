//! Times and spans of time on the command line.

use chrono::{
    DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

const TIME_EXPECTED: &str = "expected a time such as '2026-12-01 18:00', in the zone of --zone, or 2026-12-01T18:00:00+01:00";
const SPAN_EXPECTED: &str = "expected a span of time from 1m to 365d, such as 90m, 24h or 7d";
const LONGEST: TimeDelta = TimeDelta::days(365);

/// A time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrittenTime {
    /// With its distance from UTC.
    Exact(DateTime<Utc>),
    /// As the clocks of a zone show it.
    Local(NaiveDateTime),
}

/// Parses a time.
pub(super) fn read_time(text: &str) -> Result<WrittenTime, &'static str> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(WrittenTime::Exact(time.to_utc()));
    }
    // chrono would read `1-2-3 4:5` too.
    let is_padded = ["2026-12-01 18:00".len(), "2026-12-01 18:00:00".len()].contains(&text.len());
    let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let mut times = formats.iter().map(|format| NaiveDateTime::parse_from_str(text, format));
    match times.find_map(Result::ok).filter(|_| is_padded) {
        Some(time) => Ok(WrittenTime::Local(time)),
        None => Err(TIME_EXPECTED),
    }
}

impl WrittenTime {
    /// The time in UTC.
    pub(super) fn in_zone(self, zone: Tz) -> Result<DateTime<Utc>, String> {
        let local = match self {
            Self::Exact(time) => return Ok(time),
            Self::Local(local) => local,
        };
        let shown = local.format("%Y-%m-%d %H:%M:%S");
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(time) => Ok(time.to_utc()),
            MappedLocalTime::None => Err(format!(
                "{shown} does not exist in {zone}, because the clocks are put forward then; expected \
                 another time"
            )),
            MappedLocalTime::Ambiguous(first, second) => {
                let [first, second] = [first, second].map(|it| written(it.fixed_offset()));
                Err(format!(
                    "{shown} occurs twice in {zone}, because the clocks are put back then; expected \
                     {first} or {second}"
                ))
            }
        }
    }
}

fn written(time: DateTime<FixedOffset>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Parses a span of time: a whole number of minutes, hours or days.
pub(super) fn read_span(text: &str) -> Result<TimeDelta, &'static str> {
    let read = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let number: i64 =
            number.parse().ok().filter(|_| number.bytes().all(|b| b.is_ascii_digit()))?;
        match unit {
            "m" => TimeDelta::try_minutes(number),
            "h" => TimeDelta::try_hours(number),
            "d" => TimeDelta::try_days(number),
            _ => None,
        }
    };
    let span = read().filter(|span| (TimeDelta::minutes(1)..=LONGEST).contains(span));
    span.ok_or(SPAN_EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: Tz) -> Result<String, String> {
        read_time(text)?.in_zone(zone).map(|time| time.to_rfc3339())
    }

    #[test]
    fn times_are_those_of_the_zone_unless_they_have_an_offset() {
        let berlin = Tz::Europe__Berlin;
        for (text, zone, expected) in [
            ("2026-12-01 18:00", Tz::UTC, "2026-12-01T18:00:00+00:00"),
            ("2026-12-01 18:00", berlin, "2026-12-01T17:00:00+00:00"),
            ("2026-07-01T18:00:30", berlin, "2026-07-01T16:00:30+00:00"),
            ("2026-12-01T18:00:00Z", berlin, "2026-12-01T18:00:00+00:00"),
            ("2026-12-01T18:00:00-05:00", berlin, "2026-12-01T23:00:00+00:00"),
        ] {
            assert_eq!(at(text, zone).as_deref(), Ok(expected), "{text} {zone}");
        }
        for wrong in [
            "",
            "tomorrow",
            "18:00",
            "2026-12-01",
            "2026-12-01 25:00",
            "2026-02-30 18:00",
            "1-2-3 4:5",
            "2026-1-1  18:00",
            "2026-12-01 18:00 ",
            "2026-12-01 18:00Z",
            "1767225600",
        ] {
            assert_eq!(read_time(wrong), Err(TIME_EXPECTED), "{wrong:?}");
        }
    }

    #[test]
    fn a_time_that_clocks_skip_or_show_twice_is_refused() {
        let berlin = Tz::Europe__Berlin;
        let skipped = at("2026-03-29 02:30", berlin).unwrap_err();
        assert_eq!(
            skipped,
            "2026-03-29 02:30:00 does not exist in Europe/Berlin, because the clocks are put forward \
             then; expected another time"
        );
        let twice = at("2026-10-25 02:30", berlin).unwrap_err();
        assert_eq!(
            twice,
            "2026-10-25 02:30:00 occurs twice in Europe/Berlin, because the clocks are put back then; \
             expected 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"
        );
        assert_eq!(at("2026-10-25T02:30:00+01:00", berlin).unwrap(), "2026-10-25T01:30:00+00:00");
    }

    #[test]
    fn spans_have_a_unit_and_a_range() {
        for (text, minutes) in [("1m", 1), ("90m", 90), ("24h", 1_440), ("365d", 525_600)] {
            assert_eq!(read_span(text), Ok(TimeDelta::minutes(minutes)));
        }
        for wrong in [
            "",
            "h",
            "24",
            "24 h",
            "+1h",
            "-1h",
            "0m",
            "1s",
            "1.5h",
            "366d",
            "24H",
            "9223372036854775807d",
            "99999999999999999999h",
            "1ä",
        ] {
            assert_eq!(read_span(wrong), Err(SPAN_EXPECTED), "{wrong}");
        }
    }
}
