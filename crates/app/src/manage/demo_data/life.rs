//! On which days somebody is there: most people come once, a few nearly every day, and some come
//! back after a long time.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use rollcall_domain::UnreachableReason;

use super::{
    chance::{happens, weighted},
    period::Period,
};

/// How likely somebody is to come again.
#[derive(Clone, Copy, Debug)]
struct Habit {
    /// Of a thousand such people, how many lose interest in a day.
    ends: u32,
    /// Of a thousand, how many come on a day right after they came first.
    first: u32,
    /// As `first`, but long after.
    later: u32,
}

/// Of a thousand people, how many do more than look at it once.
const STAYERS: u32 = 580;
/// Who looks at it once.
const PASSER_BY: Habit = Habit { ends: 600, first: 150, later: 40 };
/// Those who stay, and how many of a hundred are so: they try it out for some weeks, have a use for
/// it now and then, or cannot be without it.
const HABITS: [(Habit, u32); 3] = [
    (Habit { ends: 50, first: 380, later: 150 }, 56),
    (Habit { ends: 9, first: 500, later: 260 }, 35),
    (Habit { ends: 2, first: 950, later: 820 }, 9),
];
/// The age in days at which a habit is halfway between what it is first and later.
const HALF_AGE: u32 = 7;

/// When people are there, of a hundred: on the days from Monday to Friday, and at weekends.
const TASTES: [((u32, u32), u32); 3] = [((100, 72), 70), ((80, 130), 20), ((100, 20), 10)];

/// More than so many interactions a day are nobody's.
const MOST_INTERACTIONS: u32 = 40;

/// The days of one person.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// On which days the person was active, sorted, and how many interactions there were.
    pub(super) days: Vec<(NaiveDate, u32)>,
    /// On which of these days the person blocked (true) or unblocked the bot, sorted.
    pub(super) blocks: Vec<(NaiveDate, bool)>,
    /// The later day on which the person turned out to be gone for good, and why.
    pub(super) lost: Option<(NaiveDate, UnreachableReason)>,
}

/// The life of somebody who comes on the day `first`. Of a hundred people who would stay as a rule,
/// `stay` of those who came like this one do. Who has no private chat with the bot cannot block it.
pub(super) fn live(
    first: NaiveDate,
    stay: u32,
    has_private_chat: bool,
    period: &Period,
    random: &mut fastrand::Rng,
) -> Option<Life> {
    let person = Person::new(stay, random)?;
    let mut life = Life::default();
    let mut comes = Some(first);
    while let Some(day) = comes {
        let Some(gone) = person.stay(&mut life, day, period, random) else { return Some(life) };
        let blocked = has_private_chat && life.block(gone, period, random);
        comes = comes_back(gone, blocked, period, random);
        if let (true, Some(day)) = (blocked, comes) {
            life.blocks.push((day, false));
        }
    }
    if has_private_chat && !life.is_blocked() {
        life.lose(period, random);
    }
    Some(life)
}

/// How somebody is.
struct Person {
    habit: Habit,
    weekdays: u32,
    weekends: u32,
    /// Of a thousand interactions, after how many another one follows on that day.
    talkative: u32,
}

impl Person {
    fn new(stay: u32, random: &mut fastrand::Rng) -> Option<Self> {
        let stays = happens(STAYERS * stay / 100, random);
        let habit = if stays { *weighted(&HABITS, random)? } else { PASSER_BY };
        let (weekdays, weekends) = *weighted(&TASTES, random)?;
        Some(Self { habit, weekdays, weekends, talkative: random.u32(250..=850) })
    }

    /// Comes on the day `first`, and then as the habit is until interest is lost; answers the day
    /// of that, if it is over.
    fn stay(
        &self,
        life: &mut Life,
        first: NaiveDate,
        period: &Period,
        random: &mut fastrand::Rng,
    ) -> Option<NaiveDate> {
        for (age, day) in (0..).zip(first.iter_days().take_while(|day| *day <= period.last)) {
            if age > 0 && happens(self.habit.ends, random) {
                return Some(day);
            }
            let comes = age == 0 || happens(self.per_mille(day, age), random);
            let interactions = if comes { self.interactions(random) } else { 0 };
            let by_now = so_far(day, interactions, age == 0, period, random);
            if by_now > 0 {
                life.days.push((day, by_now));
            }
        }
        None
    }

    /// Of a thousand such people, how many come on a day.
    fn per_mille(&self, day: NaiveDate, age: u32) -> u32 {
        let Habit { first, later, .. } = self.habit;
        let usual = later + (first - later) * HALF_AGE / (HALF_AGE + age);
        let is_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let of_week = if is_weekend { self.weekends } else { self.weekdays };
        usual * of_week / 100
    }

    fn interactions(&self, random: &mut fastrand::Rng) -> u32 {
        let mut interactions = 1;
        while interactions < MOST_INTERACTIONS && happens(self.talkative, random) {
            interactions += 1;
        }
        interactions
    }
}

/// How many of a day's interactions have happened by now; of today, not all. With `has_come`, the first
/// one has.
fn so_far(
    day: NaiveDate,
    interactions: u32,
    has_come: bool,
    period: &Period,
    random: &mut fastrand::Rng,
) -> u32 {
    let passed = period.passed_per_mille(day);
    let mut happened = |number: &u32| (has_come && *number == 0) || happens(passed, random);
    u32::try_from((0..interactions).filter(|it| happened(it)).count()).unwrap_or(interactions)
}

impl Life {
    /// Some of those who lose interest block the bot, in passing or when it writes to them later.
    /// Answers whether they do.
    fn block(&mut self, gone: NaiveDate, period: &Period, random: &mut fastrand::Rng) -> bool {
        if !happens(280, random) {
            return false;
        }
        let in_passing = happens(500, random);
        let back = self.blocks.last().map(|(day, _)| *day);
        let day = match self.days.last_mut() {
            // Unless they came back on that very day.
            Some((day, interactions)) if in_passing && back != Some(*day) => {
                *interactions += 1;
                *day
            }
            _ => {
                let later = gone + Days::new(random.u64(..=20));
                if later > period.last || !happens(period.passed_per_mille(later), random) {
                    return false;
                }
                self.days.push((later, 1));
                later
            }
        };
        self.blocks.push((day, true));
        true
    }

    fn is_blocked(&self) -> bool {
        self.blocks.last().is_some_and(|(_, blocked)| *blocked)
    }

    /// Some of those who lost interest delete their accounts.
    fn lose(&mut self, period: &Period, random: &mut fastrand::Rng) {
        if !happens(20, random) {
            return;
        }
        let obstacle = if happens(150, random) {
            UnreachableReason::ChatNotFound
        } else {
            UnreachableReason::Deactivated
        };
        let last = self.days.last().map(|(day, _)| *day + Days::new(random.u64(1..=90)));
        self.lost = last
            .filter(|day| *day <= period.last && happens(period.passed_per_mille(*day), random))
            .map(|day| (day, obstacle));
    }
}

/// When somebody who lost interest comes back, if so.
fn comes_back(
    gone: NaiveDate,
    blocked: bool,
    period: &Period,
    random: &mut fastrand::Rng,
) -> Option<NaiveDate> {
    let back = gone + Days::new(random.u64(21..=140));
    let comes = happens(if blocked { 60 } else { 130 }, random) && back <= period.last;
    (comes && happens(period.passed_per_mille(back), random)).then_some(back)
}
