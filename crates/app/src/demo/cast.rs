//! The users who visit the bot while the demo runs: mostly regulars of the last days, and some who are
//! new.

use std::time::Duration;

use chrono::{Days, Timelike};
use rollcall_domain::{
    Clock, Days as DayFilter, ListedUser, ReachabilityFilter, SystemClock, UserFilter, UserSort,
};
use rollcall_service::DayRange;
use rollcall_simulator::Person;

use crate::{
    manage::demo_data::{FakeName, happens, hour_share, pick},
    services::Services,
};

/// How many regulars there are at most.
const REGULARS: u32 = 500;
/// The days within which a regular was active last, and on how many days at least.
const RECENT_DAYS: u64 = 5;
const ACTIVE_DAYS: u32 = 4;
/// The days whose interactions are the pace of the demo.
const PACE_DAYS: u32 = 7;
/// How many interactions a visit has.
const INTERACTIONS_PER_VISIT: f64 = 2.5;
/// The longest pause between two visits, so that there is something to see at night, too.
const LONGEST_PAUSE: Duration = Duration::from_secs(3 * 60);
/// Of a thousand visitors, how many are new.
const NEW: u32 = 120;
/// What people put behind their names.
const SIGNS: [&str; 5] = ["🏒", "🥅", "⭐", "🎄", "💤"];
/// The ids of new users are above those of all earlier ones. No account of Telegram has them.
const NEW_IDS: i64 = 4_300_000_000_000_000;

/// The users who may come.
pub(super) struct Cast {
    regulars: Vec<Person>,
    /// How many users there were before.
    number: u64,
    last_id: i64,
    visits_per_day: f64,
}

impl Cast {
    /// The regulars of a database with `number` fake users, who come as often as users came in the
    /// last week.
    pub(super) async fn of(services: &Services, number: u64) -> anyhow::Result<Self> {
        let today = SystemClock.now().date_naive();
        let since = today.checked_sub_days(Days::new(RECENT_DAYS));
        let filter = UserFilter {
            reachability: Some(ReachabilityFilter::Reachable),
            last_seen: DayFilter { first: since, last: None },
            min_active_days: Some(ACTIVE_DAYS),
            ..UserFilter::default()
        };
        let directory = services.directory();
        let users = directory.users(&filter, UserSort::default(), None, REGULARS).await?;
        let yesterday = today.pred_opt().unwrap_or(today);
        let week = DayRange::ending(yesterday, PACE_DAYS)?;
        let days = services.activity().get_activity(week).await?.days;
        let interactions: u64 = days.iter().map(|day| day.interactions).sum();
        let interactions = u32::try_from(interactions).unwrap_or(u32::MAX);
        let visits_per_day =
            f64::from(interactions) / f64::from(PACE_DAYS) / INTERACTIONS_PER_VISIT;
        let regulars = users.rows.iter().map(person).collect();
        Ok(Self { regulars, number, last_id: NEW_IDS, visits_per_day })
    }

    /// The next visitor, and whether they are new.
    pub(super) fn next(&mut self, random: &mut fastrand::Rng) -> Option<(Person, bool)> {
        let regular = random.choice(&self.regulars).cloned();
        match regular.filter(|_| !happens(NEW, random)) {
            Some(regular) => Some((regular, false)),
            None => Some((self.newcomer(random)?, true)),
        }
    }

    /// A user who has not used the bot before.
    pub(super) fn newcomer(&mut self, random: &mut fastrand::Rng) -> Option<Person> {
        self.number += 1;
        self.last_id += random.i64(1..=9);
        let name = FakeName::new(self.number, false, random)?;
        let mut person = Person::new(self.last_id, name.first_name);
        person.last_name = name.last_name;
        person.username = name.username.map(|username| username.as_str().to_owned());
        person.language_code = name.language_code.map(str::to_owned);
        Some(person)
    }

    /// Gives a regular another sign behind the first name, as people do.
    pub(super) fn rename(&mut self, person: &mut Person, random: &mut fastrand::Rng) {
        let name = person.first_name.split(' ').next().unwrap_or_default();
        person.first_name = format!("{name} {}", pick(&SIGNS, random));
        for regular in self.regulars.iter_mut().filter(|regular| regular.id == person.id) {
            regular.clone_from(person);
        }
    }

    /// Removes a user who blocked the bot.
    pub(super) fn lose(&mut self, person: &Person) {
        self.regulars.retain(|regular| regular.id != person.id);
    }

    /// How long it takes until the next visit: at random, and shorter in the busy hours of the day.
    pub(super) fn pause(&self, hour: u32, random: &mut fastrand::Rng) -> Duration {
        let per_hour = self.visits_per_day * hour_share(hour);
        // Between arrivals that do not depend on each other, the times are exponential.
        let hours = -(1.0 - random.f64()).ln() / per_hour;
        let pause = Duration::try_from_secs_f64(hours * 3600.0);
        pause.unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
    }

    /// As [`Cast::pause`], at this time of the day.
    pub(super) fn pause_now(&self, random: &mut fastrand::Rng) -> Duration {
        self.pause(SystemClock.now().hour(), random)
    }
}

fn person(ListedUser { user, .. }: &ListedUser) -> Person {
    let mut person = Person::new(user.telegram_id.get(), user.first_name.as_str());
    person.last_name = user.last_name.clone();
    person.username = user.username.as_ref().map(|username| username.as_str().to_owned());
    person.language_code = user.language_code.clone();
    person
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn cast() -> Cast {
        let regulars = (1..=50).map(|id| Person::new(id, "Ann")).collect();
        Cast { regulars, number: 3000, last_id: NEW_IDS, visits_per_day: 200.0 }
    }

    #[test]
    fn most_visitors_are_regulars_and_the_others_are_all_different() {
        let (mut cast, mut random) = (cast(), fastrand::Rng::with_seed(1));
        let visitors: Vec<_> = (0..1000).map(|_| cast.next(&mut random).unwrap()).collect();
        let new: Vec<&Person> =
            visitors.iter().filter(|(_, is_new)| *is_new).map(|(person, _)| person).collect();
        assert!((80..160).contains(&new.len()), "{}", new.len());
        let ids: BTreeSet<i64> = new.iter().map(|person| person.id).collect();
        assert_eq!(ids.len(), new.len());
        let usernames: Vec<&String> = new.iter().filter_map(|it| it.username.as_ref()).collect();
        assert_eq!(usernames.iter().collect::<BTreeSet<_>>().len(), usernames.len());
        assert!(visitors.iter().all(|(person, is_new)| *is_new == (person.id > NEW_IDS)));
    }

    #[test]
    fn the_pace_is_that_of_the_bot_and_of_the_hour() {
        let (cast, mut random) = (cast(), fastrand::Rng::with_seed(1));
        let mut mean = |hour| {
            let pauses = (0..2000).map(|_| cast.pause(hour, &mut random));
            pauses.sum::<Duration>().as_secs_f64() / 2000.0
        };
        let (evening, night) = (mean(19), mean(3));
        assert!(60.0 < evening && evening < night && night <= 180.0, "{evening} {night}");
        let quiet = Cast { visits_per_day: 0.0, ..cast };
        assert_eq!(quiet.pause(12, &mut fastrand::Rng::with_seed(1)), LONGEST_PAUSE);
    }

    #[test]
    fn a_new_name_stays() {
        let (mut cast, mut random) = (cast(), fastrand::Rng::with_seed(1));
        let mut person = Person::new(7, "Ann 🔥");
        cast.rename(&mut person, &mut random);
        assert!(person.first_name.starts_with("Ann ") && person.first_name != "Ann 🔥");
        let stored: Vec<&Person> = cast.regulars.iter().filter(|it| it.id == 7).collect();
        assert_eq!(stored, [&person]);
    }

    #[test]
    fn users_who_blocked_the_bot_do_not_come_again() {
        let (mut cast, mut random) = (cast(), fastrand::Rng::with_seed(1));
        cast.lose(&Person::new(7, ""));
        assert!((0..1000).all(|_| cast.next(&mut random).unwrap().0.id != 7));
    }
}
