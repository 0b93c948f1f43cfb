//! Whether recipients of a broadcast were active after it, and what that says about its effect.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use crate::{ActiveDay, Hour};

/// How many whole days after that of the message activity counts.
const DAYS: Days = Days::new(7);
/// The activity of all of these days is known when the next one begins.
const KNOWN_AFTER: Days = Days::new(8);
/// How many standard errors around a difference the true one is with a probability of 95%.
const NORMAL_95: f64 = 1.959_964;

/// When the activity after a broadcast that ended at this time can be counted: when the seven days after
/// its last message are over.
pub fn activity_known_at(ended_at: DateTime<Utc>) -> DateTime<Utc> {
    let day = ended_at.date_naive().checked_add_days(KNOWN_AFTER).unwrap_or(NaiveDate::MAX);
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The days on which activity may count for a message of this time: its own, and the seven after it.
pub fn activity_days(at: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
    let day = at.date_naive();
    (day, day.checked_add_days(DAYS).unwrap_or(NaiveDate::MAX))
}

/// Whether a user was active after a message of time `at`, until the end of the seventh UTC day after it.
/// `last_seen` is the time of the user's latest interaction, and `earlier` has the earlier days of
/// activity.
///
/// Of the day of the message, only the hour of the first interaction is known, unless it is the user's
/// latest day. So a user who was active before and after the message on that day, not on the next seven
/// days, but later, does not count.
pub fn was_active_after(
    at: DateTime<Utc>,
    last_seen: DateTime<Utc>,
    earlier: impl IntoIterator<Item = ActiveDay>,
) -> bool {
    let (day, last) = activity_days(at);
    if last_seen > at && last_seen.date_naive() <= last {
        return true;
    }
    earlier.into_iter().any(|it| match it.day {
        its if its == day => it.first_hour.is_some_and(|hour| hour > Hour::of(at)),
        its => day < its && its <= last,
    })
}

/// How many users there are, and how many of them were active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActiveUsers {
    /// All.
    pub users: u64,
    /// Those who were active.
    pub active: u64,
}

impl ActiveUsers {
    /// Adds a user.
    pub fn add(&mut self, is_active: bool) {
        self.users += 1;
        self.active += u64::from(is_active);
    }

    /// Which share of them was active, from 0 to 1; `None` if there are none.
    pub fn share(self) -> Option<f64> {
        (self.users > 0).then(|| float(self.active) / float(self.users))
    }
}

/// How many recipients were active within seven days after a broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BroadcastActivity {
    /// Those that the message was sent to.
    pub sent: ActiveUsers,
    /// Those that were held out.
    pub held_out: ActiveUsers,
}

impl BroadcastActivity {
    /// By how much the message changed the share of active users. `None` if nobody was held out, or
    /// nobody got the message.
    pub fn effect(&self) -> Option<Effect> {
        let change = self.sent.share()? - self.held_out.share()?;
        // Agresti and Caffo, 2000: with a success and a failure more on either side, the interval is
        // right for small numbers, too.
        let part = |it: ActiveUsers| {
            let users = float(it.users) + 2.0;
            let share = (float(it.active) + 1.0) / users;
            (share, share * (1.0 - share) / users)
        };
        let ((sent, sent_variance), (held_out, held_out_variance)) =
            (part(self.sent), part(self.held_out));
        let (middle, margin) =
            (sent - held_out, NORMAL_95 * (sent_variance + held_out_variance).sqrt());
        Some(Effect { change, low: (middle - margin).max(-1.0), high: (middle + margin).min(1.0) })
    }
}

/// A difference between two shares. `0.01` is a percentage point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The difference that was measured.
    pub change: f64,
    /// The lower end of what the true difference may be (95% confidence).
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Effect {
    /// Whether chance alone could explain the difference.
    pub fn may_be_chance(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }

    /// What it means, in a sentence.
    pub fn meaning(&self) -> &'static str {
        match () {
            () if self.may_be_chance() => "The difference could be chance.",
            () if self.change > 0.0 => "The message brought users back.",
            () => "Fewer users came back with the message than without it.",
        }
    }
}

/// Numbers of users are exact in a float.
fn float(number: u64) -> f64 {
    let (high, low) = (number >> 32, number & u64::from(u32::MAX));
    let part = |part: u64| f64::from(u32::try_from(part).unwrap_or(u32::MAX));
    part(high) * 4_294_967_296.0 + part(low)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}Z").parse().unwrap()
    }

    fn day(day: u32, hour: Option<u32>) -> ActiveDay {
        let day = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        ActiveDay { day, first_hour: hour.and_then(Hour::new) }
    }

    #[test]
    fn activity_counts_from_the_message_to_the_end_of_the_seventh_day() {
        let at = time("10T12:30:00");
        for (last_seen, earlier, expected) in [
            ("10T12:29:59", vec![], false),
            ("10T12:30:01", vec![], true),
            ("17T23:59:59", vec![], true),
            ("18T00:00:00", vec![], false),
            ("18T00:00:00", vec![day(9, Some(13)), day(10, Some(12)), day(18, Some(1))], false),
            ("20T00:00:00", vec![day(10, None)], false),
            ("20T00:00:00", vec![day(10, Some(13))], true),
            ("20T00:00:00", vec![day(11, None)], true),
            ("20T00:00:00", vec![day(17, Some(0))], true),
            ("09T00:00:00", vec![day(8, Some(1))], false),
        ] {
            let active = was_active_after(at, time(last_seen), earlier.clone());
            assert_eq!(active, expected, "{last_seen} {earlier:?}");
        }
        assert_eq!(activity_known_at(at), time("18T00:00:00"));
        assert_eq!(activity_days(at), (day(10, None).day, day(17, None).day));
    }

    fn activity(sent: (u64, u64), held_out: (u64, u64)) -> BroadcastActivity {
        let part = |(active, users)| ActiveUsers { users, active };
        BroadcastActivity { sent: part(sent), held_out: part(held_out) }
    }

    #[test]
    fn a_difference_is_shown_with_what_chance_does() {
        let effect = |sent, held_out| activity(sent, held_out).effect();
        assert_eq!(effect((1, 2), (0, 0)), None);
        assert_eq!(effect((0, 0), (1, 2)), None);
        let large = effect((4_750, 9_500), (200, 500)).unwrap();
        assert!((large.change - 0.1).abs() < 1e-9);
        assert!(
            (large.low - 0.055).abs() < 0.002 && (large.high - 0.144).abs() < 0.002,
            "{large:?}"
        );
        assert!(!large.may_be_chance() && large.meaning().contains("brought"));
        assert!(effect((5, 10), (4, 10)).unwrap().may_be_chance());
        assert!(effect((10, 10), (1, 2)).unwrap().may_be_chance(), "two users show nothing");
        let fewer = effect((100, 10_000), (900, 10_000)).unwrap();
        assert!(fewer.high < 0.0 && fewer.meaning().starts_with("Fewer"));
    }

    proptest! {
        #[test]
        fn an_interval_has_its_difference_of_many_users(
            sent in 0..=10_000_u64, held_out in 0..=10_000_u64
        ) {
            let effect = activity((sent, 10_000), (held_out, 10_000)).effect().unwrap();
            prop_assert!(effect.low <= effect.change + 1e-3 && effect.change <= effect.high + 1e-3);
            prop_assert!((-1.0..=1.0).contains(&effect.low) && (-1.0..=1.0).contains(&effect.high));
        }
    }
}
