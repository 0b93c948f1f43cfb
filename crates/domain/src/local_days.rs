//! Days and times in a time zone. A day begins at midnight, or when the clocks first show it if they are
//! changed at midnight. Most days have 24 hours.

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike,
    Utc,
};
use chrono_tz::Tz;

/// The largest change of clocks ever: a whole day, at the date line.
const LONGEST_JUMP_MINUTES: i64 = 25 * 60;

/// The start of a day in a time zone. If the zone skipped the day, it starts with the next one.
pub fn day_start(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    first_moment(zone, day.and_time(NaiveTime::MIN))
}

/// The first moment at which the clocks of a zone show a time, or a later one if they skip it.
pub(crate) fn first_moment(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    first_moment_after(zone, local, DateTime::<Utc>::MIN_UTC).unwrap_or_else(|| local.and_utc())
}

/// The same, but only moments after another one count.
pub(crate) fn first_moment_after(
    zone: Tz,
    local: NaiveDateTime,
    after: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let shown = |local: NaiveDateTime| {
        let shown = zone.from_local_datetime(&local);
        let moments = [shown.earliest(), shown.latest()].into_iter().flatten();
        moments.map(|at| at.to_utc()).find(|at| *at > after)
    };
    // The clocks are changed at whole minutes.
    let minute = local.with_second(0).and_then(|it| it.with_nanosecond(0)).unwrap_or(local);
    let later = (1..=LONGEST_JUMP_MINUTES)
        .filter_map(|minutes| minute.checked_add_signed(TimeDelta::minutes(minutes)));
    std::iter::once(local).chain(later).find_map(shown)
}

/// The current day in a time zone.
pub fn day_of(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The next day. The last possible day is its own successor.
pub fn next_day(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(day)
}

/// The Monday after a day.
pub fn next_monday(day: NaiveDate) -> NaiveDate {
    let days = 7 - u64::from(day.weekday().num_days_from_monday());
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn start(zone: Tz, of: &str) -> String {
        day_start(zone, day(of)).format("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn a_day_begins_at_midnight_or_when_the_clocks_show_it() {
        assert_eq!(start(Tz::UTC, "2026-11-23"), "2026-11-23 00:00");
        assert_eq!(start(Tz::America__New_York, "2026-11-23"), "2026-11-23 05:00");
        // Days of 23 and of 25 hours.
        assert_eq!(start(Tz::Europe__Berlin, "2026-03-29"), "2026-03-28 23:00");
        assert_eq!(start(Tz::Europe__Berlin, "2026-03-30"), "2026-03-29 22:00");
        assert_eq!(start(Tz::America__New_York, "2026-11-01"), "2026-11-01 04:00");
        assert_eq!(start(Tz::America__New_York, "2026-11-02"), "2026-11-02 05:00");
        // Midnight does not exist, or exists twice.
        assert_eq!(start(Tz::Africa__Cairo, "2026-04-24"), "2026-04-23 22:00");
        assert_eq!(start(Tz::America__Havana, "2026-11-01"), "2026-11-01 04:00");
        // A day that was skipped, at the date line.
        assert_eq!(start(Tz::Pacific__Apia, "2011-12-30"), start(Tz::Pacific__Apia, "2011-12-31"));
    }

    #[test]
    fn a_week_ends_before_monday() {
        for (of, monday) in [
            ("2026-11-23", "2026-11-30"),
            ("2026-11-24", "2026-11-30"),
            ("2026-11-29", "2026-11-30"),
            ("2026-12-31", "2027-01-04"),
        ] {
            assert_eq!(next_monday(day(of)), day(monday), "{of}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2000)))]

        /// For any zone and any change of its clocks.
        #[test]
        fn every_moment_is_in_the_day_that_the_clocks_show(
            zone in prop::sample::select(TZ_VARIANTS.as_slice()),
            seconds in 1_325_376_000_i64..2_145_916_800,
        ) {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            let today = day_of(zone, at);
            prop_assert!(day_start(zone, today) <= at);
            prop_assert!(at < day_start(zone, next_day(today)));
            prop_assert!(at < day_start(zone, next_monday(today)));
        }

        /// The same on the days on which clocks change.
        #[test]
        fn days_follow_each_other_without_gap_or_overlap_when_clocks_are_moved(
            zone in prop::sample::select(TZ_VARIANTS.as_slice()),
            year in 2012_i32..2037,
        ) {
            let mut today = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let mut begins = day_start(zone, today);
            for _ in 0..366 {
                let ends = day_start(zone, next_day(today));
                let hours = (ends - begins).num_minutes();
                prop_assert!((20 * 60..=28 * 60).contains(&hours), "{zone} {today}: {hours} min");
                prop_assert_eq!(day_of(zone, begins), today);
                prop_assert_eq!(day_of(zone, ends - TimeDelta::seconds(1)), today);
                (today, begins) = (next_day(today), ends);
            }
        }
    }
}
