//! When people come: more and more of them, fewer at weekends, many after a campaign.

use chrono::{Datelike, NaiveDate};

use super::period::{Period, SHARES};

/// How many come from Monday to Sunday, of a hundred.
const WEEK: [u64; 7] = [100, 97, 98, 101, 108, 86, 79];
/// The deep links of the campaigns, one after the other.
pub(super) const CAMPAIGNS: [&str; 8] = [
    "season_opening",
    "winter_contest",
    "channel_mention",
    "derby_day",
    "giveaway",
    "playoff_race",
    "spring_ads",
    "bring_a_friend",
];
/// There is a campaign in every stretch of so many days.
const STRETCH: u64 = 40;

/// That somebody comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) day: NaiveDate,
    /// At which share of the day.
    pub(super) share: u32,
    /// The deep link of the campaign by which they come, if it is one that brings them.
    pub(super) campaign: Option<&'static str>,
}

/// The arrivals of so many people, in their order.
pub(super) struct Arrivals {
    days: std::vec::IntoIter<Day>,
    today: Day,
    /// How many of today's have come.
    arrived: u64,
    random: fastrand::Rng,
}

impl Arrivals {
    pub(super) fn new(users: u64, period: &Period, mut random: fastrand::Rng) -> Self {
        let weights = weights(period, &mut random);
        let total: u64 = weights.iter().map(Weight::sum).sum();
        let (mut before, mut arrivals_before) = (0, 0);
        let mut days = Vec::with_capacity(weights.len());
        for weight in weights {
            before += weight.sum();
            // Rounded where it is summed up, so that nobody is lost.
            let arrivals = users * before / total - arrivals_before;
            arrivals_before += arrivals;
            days.push(Day { weight, arrivals });
        }
        let today = Day { weight: Weight::none(period.first), arrivals: 0 };
        Self { days: days.into_iter(), today, arrived: 0, random }
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        while self.arrived == self.today.arrivals {
            self.today = self.days.next()?;
            self.arrived = 0;
        }
        let Day { weight, arrivals } = self.today;
        let shares = u64::from(SHARES);
        let share = (self.arrived * shares + self.random.u64(..shares)) / arrivals;
        self.arrived += 1;
        let is_of_campaign = self.random.u64(..weight.sum()) < weight.of_campaign;
        Some(Arrival {
            day: weight.day,
            share: share.try_into().unwrap_or(SHARES),
            campaign: Some(weight.campaign).filter(|_| is_of_campaign),
        })
    }
}

/// A day, and how many come on it.
#[derive(Clone, Copy)]
struct Day {
    weight: Weight,
    arrivals: u64,
}

/// How many come on a day, compared with others.
#[derive(Clone, Copy)]
struct Weight {
    day: NaiveDate,
    by_themselves: u64,
    of_campaign: u64,
    campaign: &'static str,
}

impl Weight {
    fn none(day: NaiveDate) -> Self {
        Self { day, by_themselves: 0, of_campaign: 0, campaign: "" }
    }

    fn sum(&self) -> u64 {
        self.by_themselves + self.of_campaign
    }
}

fn weights(period: &Period, random: &mut fastrand::Rng) -> Vec<Weight> {
    let days: Vec<NaiveDate> = period.days().collect();
    let length = u64::try_from(days.len()).unwrap_or(1);
    let mut campaign = Campaign::default();
    let mut weights = Vec::with_capacity(days.len());
    for (number, &day) in (0..).zip(&days) {
        if number % STRETCH == 0 {
            campaign = Campaign::new(number, random);
        }
        let growth = 10_000 + 30_000 * number * number / (length * length);
        let usual = growth * of_week(day) / 100 * random.u64(88..=112) / 100;
        let passed = u64::from(period.passed_per_mille(day));
        weights.push(Weight {
            day,
            // At midnight, too, somebody has to be able to come.
            by_themselves: (usual * passed / 1000).max(1),
            of_campaign: usual * campaign.strength(number) / 100 * passed / 1000,
            campaign: campaign.source,
        });
    }
    weights
}

fn of_week(day: NaiveDate) -> u64 {
    let place = usize::try_from(day.weekday().num_days_from_monday()).unwrap_or_default();
    WEEK.get(place).copied().unwrap_or(100)
}

/// What brings many within a few days.
#[derive(Clone, Copy, Default)]
struct Campaign {
    source: &'static str,
    first_day: u64,
    days: u64,
    /// How many come by it on its first day, for a hundred who come by themselves.
    strength: u64,
}

impl Campaign {
    /// The campaign of the stretch that begins with the day of this number.
    fn new(number: u64, random: &mut fastrand::Rng) -> Self {
        let place = usize::try_from(number / STRETCH).unwrap_or_default() % CAMPAIGNS.len();
        let days = random.u64(3..=7);
        Self {
            source: CAMPAIGNS.get(place).copied().unwrap_or_default(),
            first_day: number + random.u64(5..STRETCH - days),
            days,
            strength: random.u64(60..=220),
        }
    }

    /// How many come on a day: the later, the fewer.
    fn strength(&self, number: u64) -> u64 {
        match number.checked_sub(self.first_day) {
            Some(passed) if passed < self.days => self.strength * (self.days - passed) / self.days,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(users: u64, days: u32, now: &str) -> Vec<Arrival> {
        let period = Period::new(days, now.parse().unwrap());
        Arrivals::new(users, &period, fastrand::Rng::with_seed(7)).collect()
    }

    #[test]
    fn everybody_comes_one_after_the_other() {
        for users in [1, 2, 99, 10_000] {
            for days in [1, 2, 30, 400] {
                for now in ["2026-11-23T00:00:00Z", "2026-11-23T13:00:00Z"] {
                    let all = arrivals(users, days, now);
                    assert_eq!(all.len(), usize::try_from(users).unwrap());
                    assert!(all.is_sorted_by_key(|arrival| (arrival.day, arrival.share)));
                    assert!(all.iter().all(|arrival| arrival.share <= SHARES));
                }
            }
        }
    }

    #[test]
    fn there_are_more_and_more_and_campaigns_bring_many_at_once() {
        let all = arrivals(100_000, 200, "2026-11-23T13:00:00Z");
        let before = |day: &str| {
            let day: NaiveDate = day.parse().unwrap();
            all.iter().filter(|arrival| arrival.day < day && arrival.campaign.is_none()).count()
        };
        assert!(before("2026-08-15") < 40_000, "the second half brings more");
        let of_campaigns = all.iter().filter(|arrival| arrival.campaign.is_some()).count();
        assert!((3_000..20_000).contains(&of_campaigns), "{of_campaigns}");
        let derby = all.iter().filter(|arrival| arrival.campaign == Some("derby_day"));
        let mut days: Vec<NaiveDate> = derby.map(|arrival| arrival.day).collect();
        days.dedup();
        assert!((3..=7).contains(&days.len()), "{days:?}");
    }
}
