//! When a recipient may get a broadcast: at a time of their own clocks, and not during quiet hours.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::local_days::{first_moment, first_moment_after};

/// The first clocks that show a time do so this long before UTC, and the last ones this long after it.
const FIRST_ZONE: TimeDelta = TimeDelta::hours(14);
const LAST_ZONE: TimeDelta = TimeDelta::hours(12);
/// How often quiet hours may begin again at their end, because the clocks are changed then.
const MOST_STEPS: usize = 4;

/// When each recipient may get a message, by the clocks of their own time zone. The default is any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryTimes {
    /// Nobody gets it before their clocks show this time.
    pub local_time: Option<NaiveDateTime>,
    /// Nobody gets it during these hours.
    pub quiet_hours: Option<QuietHours>,
}

impl DeliveryTimes {
    /// Whether every recipient may get the message at any time.
    pub fn are_any(&self) -> bool {
        *self == Self::default()
    }

    /// The first moment from `now` on at which a recipient in `zone` may get the message. A time that the
    /// clocks skip is the moment at which they skip it; of one that they show twice, it is the first.
    pub fn due(&self, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
        let begins = self.local_time.map(|local| first_moment(zone, local));
        let due = begins.map_or(now, |begins| begins.max(now));
        self.quiet_hours.map_or(due, |quiet| quiet.end_after(zone, due))
    }

    /// What recipients wait for, in words.
    pub fn cause(&self) -> Option<&'static str> {
        match (self.local_time, self.quiet_hours) {
            (None, None) => None,
            (Some(_), None) => Some("local times"),
            (None, Some(_)) => Some("quiet hours"),
            (Some(_), Some(_)) => Some("local times and quiet hours"),
        }
    }

    /// When the local time begins anywhere on earth, and when it has begun everywhere.
    pub fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let local = self.local_time?.and_utc();
        Some((local.checked_sub_signed(FIRST_ZONE)?, local.checked_add_signed(LAST_ZONE)?))
    }
}

/// Hours of the day during which nobody gets a message, such as 22:00 to 08:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    from: NaiveTime,
    until: NaiveTime,
}

/// The text has no quiet hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuietHours {
    /// It has another form.
    #[error("expected the first and the last moment of the quiet hours, such as 22:00-08:00")]
    Form,
    /// They begin when they end, so they are none, or the whole day.
    #[error("quiet hours cannot end when they begin; expected two times, such as 22:00-08:00")]
    Empty,
}

impl QuietHours {
    /// Those from one time of the day to another, which may be on the next day.
    ///
    /// # Errors
    /// If they end when they begin.
    pub fn new(from: NaiveTime, until: NaiveTime) -> Result<Self, InvalidQuietHours> {
        if from == until { Err(InvalidQuietHours::Empty) } else { Ok(Self { from, until }) }
    }

    /// When they begin.
    pub fn from(self) -> NaiveTime {
        self.from
    }

    /// When they end.
    pub fn until(self) -> NaiveTime {
        self.until
    }

    fn contain(self, time: NaiveTime) -> bool {
        match self.from < self.until {
            true => (self.from..self.until).contains(&time),
            false => time >= self.from || time < self.until,
        }
    }

    /// `at` itself if the clocks of `zone` show no quiet time then, or else the end of the quiet hours.
    fn end_after(self, zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
        let mut due = at;
        for _ in 0..MOST_STEPS {
            let local = due.with_timezone(&zone).naive_local();
            if !self.contain(local.time()) {
                break;
            }
            let is_next_day = local.time() >= self.until;
            let day = if is_next_day { local.date().succ_opt() } else { Some(local.date()) };
            let end = day.and_then(|day| first_moment_after(zone, day.and_time(self.until), due));
            let Some(end) = end else { break };
            due = end;
        }
        due
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.format("%H:%M"), self.until.format("%H:%M"))
    }
}

impl FromStr for QuietHours {
    type Err = InvalidQuietHours;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, until) = text.split_once('-').ok_or(InvalidQuietHours::Form)?;
        Self::new(time_of_day(from)?, time_of_day(until)?)
    }
}

/// A time such as 08:00. 24:00 is the end of a day.
fn time_of_day(text: &str) -> Result<NaiveTime, InvalidQuietHours> {
    let text = text.trim();
    // chrono would read `8:0` too.
    let is_padded = text.len() == "08:00".len();
    let text = if text == "24:00" { "00:00" } else { text };
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| is_padded);
    time.ok_or(InvalidQuietHours::Form)
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use chrono_tz::TZ_VARIANTS;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}:00Z").parse().unwrap()
    }

    fn local(text: &str) -> NaiveDateTime {
        format!("{text}:00").parse().unwrap()
    }

    fn due(local_time: &str, quiet_hours: &str, zone: Tz, now: &str) -> String {
        let times = DeliveryTimes {
            local_time: (!local_time.is_empty()).then(|| local(local_time)),
            quiet_hours: (!quiet_hours.is_empty()).then(|| quiet_hours.parse().unwrap()),
        };
        times.due(zone, at(now)).format("%Y-%m-%dT%H:%M").to_string()
    }

    #[test]
    fn a_local_time_comes_at_another_moment_in_each_zone() {
        let six = "2026-12-01T18:00";
        for (zone, expected) in [
            (Tz::Pacific__Kiritimati, "2026-12-01T04:00"),
            (Tz::Europe__Berlin, "2026-12-01T17:00"),
            (Tz::UTC, "2026-12-01T18:00"),
            (Tz::America__New_York, "2026-12-01T23:00"),
            (Tz::Etc__GMTPlus12, "2026-12-02T06:00"),
        ] {
            assert_eq!(due(six, "", zone, "2026-11-30T00:00"), expected, "{zone}");
            assert_eq!(
                due(six, "", zone, "2026-12-03T00:00"),
                "2026-12-03T00:00",
                "{zone}: passed"
            );
        }
        let times = DeliveryTimes { local_time: Some(local(six)), quiet_hours: None };
        assert_eq!(times.span(), Some((at("2026-12-01T04:00"), at("2026-12-02T06:00"))));
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_when_they_skip_it_and_one_shown_twice_the_first() {
        let berlin = Tz::Europe__Berlin;
        let now = "2026-01-01T00:00";
        assert_eq!(due("2026-03-29T02:30", "", berlin, now), "2026-03-29T01:00");
        assert_eq!(due("2026-10-25T02:30", "", berlin, now), "2026-10-25T00:30");
        // A whole day was skipped at the date line.
        let apia = Tz::Pacific__Apia;
        assert_eq!(due("2011-12-30T12:00", "", apia, "2011-01-01T00:00"), "2011-12-30T10:00");
    }

    #[test]
    fn quiet_hours_are_waited_for() {
        let night = "22:00-08:00";
        for (now, expected) in [
            ("2026-12-01T21:59", "2026-12-01T21:59"),
            ("2026-12-01T22:00", "2026-12-02T08:00"),
            ("2026-12-02T00:00", "2026-12-02T08:00"),
            ("2026-12-02T07:59", "2026-12-02T08:00"),
            ("2026-12-02T08:00", "2026-12-02T08:00"),
        ] {
            assert_eq!(due("", night, Tz::UTC, now), expected, "{now}");
        }
        for (now, expected) in
            [("2026-12-01T12:30", "2026-12-01T14:00"), ("2026-12-01T14:00", "2026-12-01T14:00")]
        {
            assert_eq!(due("", "12:00-14:00", Tz::UTC, now), expected, "{now}");
        }
        assert_eq!(due("", "22:00-24:00", Tz::UTC, "2026-12-01T23:00"), "2026-12-02T00:00");
        // The time itself may be a quiet one.
        let both = due("2026-12-01T23:00", night, Tz::Europe__Berlin, "2026-11-30T00:00");
        assert_eq!(both, "2026-12-02T07:00");
    }

    #[test]
    fn quiet_hours_end_when_the_clocks_say_so_although_they_are_changed() {
        let berlin = Tz::Europe__Berlin;
        // 02:30 is skipped.
        assert_eq!(due("", "22:00-02:30", berlin, "2026-03-29T00:30"), "2026-03-29T01:00");
        // 02:30 is shown twice: the hours end, begin again at the second 02:00, and end again.
        assert_eq!(due("", "22:00-02:30", berlin, "2026-10-25T00:10"), "2026-10-25T00:30");
        assert_eq!(due("", "22:00-02:30", berlin, "2026-10-25T00:40"), "2026-10-25T00:40");
        assert_eq!(due("", "22:00-02:30", berlin, "2026-10-25T01:10"), "2026-10-25T01:30");
        // When the clocks skip their end, the next ones begin: 03:00 is quiet again.
        assert_eq!(due("", "03:00-02:30", berlin, "2026-03-28T10:00"), "2026-03-30T00:30");
    }

    #[test]
    fn quiet_hours_are_written_as_two_times() {
        let hours: QuietHours = "22:00-08:00".parse().unwrap();
        assert_eq!(hours.to_string(), "22:00-08:00");
        let until_midnight: QuietHours = " 20:30 - 24:00 ".parse().unwrap();
        assert_eq!(until_midnight.to_string(), "20:30-00:00");
        for same in ["08:00-08:00", "00:00-24:00", "24:00-24:00"] {
            assert_eq!(same.parse::<QuietHours>(), Err(InvalidQuietHours::Empty), "{same}");
        }
        for wrong in ["", "22:00", "22-8", "8:00-9:00", "22:00-25:00", "22:00-08:60", "22:00–08:00"]
        {
            assert_eq!(wrong.parse::<QuietHours>(), Err(InvalidQuietHours::Form), "{wrong}");
        }
    }

    proptest! {
        /// Found by looking at each minute.
        #[test]
        fn the_due_time_is_the_first_that_fits(
            zone in 0..TZ_VARIANTS.len(),
            start in 1_760_000_000_i64 / 60..1_800_000_000 / 60,
            begins in proptest::option::of(-1_000..2_000_i64),
            from in 0..1_440_u32,
            until in 0..1_440_u32,
        ) {
            let zone = TZ_VARIANTS[zone];
            let now = DateTime::from_timestamp(start * 60, 0).unwrap();
            let time = |minutes: u32| NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap();
            let quiet_hours = QuietHours::new(time(from), time(until)).ok();
            let local_time = begins.map(|it| now.naive_utc() + Duration::minutes(it));
            let times = DeliveryTimes { local_time, quiet_hours };
            let due = times.due(zone, now);
            prop_assert!(due >= now && due <= now + Duration::hours(2_000 / 60 + 14 + 3 * 25));
            let shows = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
            let is_quiet = |at| quiet_hours.is_some_and(|quiet| quiet.contain(shows(at).time()));
            prop_assert!(!is_quiet(due));
            // Before it, either the local time had never come, or it was quiet.
            let begun = local_time.map_or(now, |local| {
                let mut at = now - Duration::days(4);
                while shows(at) < local {
                    at += Duration::minutes(1);
                }
                at.max(now)
            });
            let mut at = begun;
            while at < due {
                prop_assert!(is_quiet(at), "{at}");
                at += Duration::minutes(1);
            }
        }
    }
}
