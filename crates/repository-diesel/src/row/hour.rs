//! Hours of active days as they are stored: counted from 1970. So an hour also shows which day it
//! belongs to, if an older program, which does not know the column, moves a user to another day.

use chrono::NaiveDate;
use rollcall_domain::{ActiveDay, Hour};

fn midnight(day: NaiveDate) -> i64 {
    (day - NaiveDate::default()).num_days() * i64::from(Hour::COUNT)
}

/// The number that is stored for an hour of a day.
pub(crate) fn stored_hour(day: NaiveDate, hour: Option<Hour>) -> Option<i32> {
    i32::try_from(midnight(day) + i64::from(hour?.number())).ok()
}

/// A day of activity with the hour that is stored for it. The hour of another day does not count.
pub(crate) fn active_day(day: NaiveDate, stored: Option<i32>) -> ActiveDay {
    let number = stored.and_then(|stored| u32::try_from(i64::from(stored) - midnight(day)).ok());
    ActiveDay { day, first_hour: number.and_then(Hour::new) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_known_only_on_its_own_day() {
        for day in ["1969-12-31", "1970-01-01", "2026-11-27", "9999-12-31"] {
            let day: NaiveDate = day.parse().unwrap();
            for hour in [0, 23].map(Hour::new) {
                let stored = stored_hour(day, hour);
                assert_eq!(active_day(day, stored), ActiveDay { day, first_hour: hour });
                for other in [day.pred_opt().unwrap(), day.succ_opt().unwrap()] {
                    assert_eq!(active_day(other, stored).first_hour, None);
                }
            }
            assert_eq!(active_day(day, stored_hour(day, None)).first_hour, None);
        }
        let first = NaiveDate::default();
        assert_eq!(stored_hour(first.succ_opt().unwrap(), Hour::new(1)), Some(25));
    }
}
