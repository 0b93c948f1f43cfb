//! People who are made up, one after the other, each with all its past.

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    ActiveDay, Reachability, ReachabilityChange, StartPayload, TelegramUser, UnreachableReason,
};
use rollcall_repository::{History, UseCount};

use super::{
    arrivals::{Arrival, Arrivals},
    chance::{happens, weighted},
    commands::used,
    life::{Life, live},
    names::FakeName,
    period::{Period, SHARES},
    uses::Uses,
};

/// A deep link, and of a hundred people who stay as a rule, how many of those who come by it do.
type Source = (&'static str, u32);

/// The deep links that bring people all the time, and how many of a thousand each does, of those
/// who come by no campaign.
const SOURCES: [(Option<Source>, u32); 11] = [
    (None, 640),
    (Some(("friend", 130)), 56),
    (Some(("channel_post", 100)), 52),
    (Some(("youtube", 80)), 45),
    (Some(("instagram_bio", 65)), 41),
    (Some(("ads_telegram", 45)), 37),
    (Some(("website", 110)), 32),
    (Some(("qr_arena", 90)), 20),
    (Some(("newsletter", 120)), 15),
    (Some(("ads_banner", 30)), 12),
    (Some((REFERRAL, 105)), 50),
];
/// Stands for the deep links that people share, each their own.
const REFERRAL: &str = "ref";
/// How many people share one.
const REFERRERS: u32 = 400;
/// As in [`Source`], for those who come by a campaign.
const CAMPAIGN_STAY: u32 = 60;

/// People in the order in which they come.
pub(super) struct People {
    period: Period,
    arrivals: Arrivals,
    /// Where the chance of each person comes from, so that what one does changes nothing of others.
    seeds: fastrand::Rng,
    /// The chance of the person who comes now.
    random: fastrand::Rng,
    /// How many have come.
    number: u64,
    last_id: i64,
    uses: Uses,
}

impl People {
    /// So many people, who come within so many days, the last of which is that of `now`. The same
    /// seed brings the same people.
    pub(super) fn new(users: u64, days: u32, seed: u64, now: DateTime<Utc>) -> Self {
        let period = Period::new(days, now);
        let mut seeds = fastrand::Rng::with_seed(seed);
        let arrivals = Arrivals::new(users, &period, seeds.fork());
        let random = seeds.fork();
        let (last_id, uses) = (History::REAL_IDS_END, Uses::until(now));
        Self { period, arrivals, seeds, random, number: 0, last_id, uses }
    }

    /// What the users did in the last hour, by minute.
    pub(super) fn minutes(&self) -> Vec<(DateTime<Utc>, i64)> {
        self.uses.by_minute()
    }

    /// What the users did.
    pub(super) fn uses(mut self) -> Vec<UseCount> {
        self.uses.by_figure(&mut self.random)
    }

    /// A user who joins now, with nothing but a profile.
    fn somebody(&mut self, created_at: DateTime<Utc>) -> Option<TelegramUser> {
        let random = &mut self.random;
        self.number += 1;
        self.last_id += random.i64(1..=9);
        let mut user = TelegramUser::new(self.last_id.try_into().ok()?, created_at);
        user.is_bot = happens(1, random);
        let name = FakeName::new(self.number, user.is_bot, random)?;
        (user.first_name, user.last_name) = (name.first_name, name.last_name);
        user.username = name.username;
        user.language_code = name.language_code.map(str::to_owned);
        // The others write in groups only.
        user.reachability.has_private_chat = !user.is_bot && happens(970, random);
        Some(user)
    }

    /// By which deep link somebody comes, if by one, and how many of a hundred stay.
    fn source(&mut self, campaign: Option<&'static str>) -> Option<(Option<StartPayload>, u32)> {
        if let Some(payload) = campaign {
            return Some((payload.parse().ok(), CAMPAIGN_STAY));
        }
        Some(match weighted(&SOURCES, &mut self.random)? {
            None => (None, 100),
            Some((REFERRAL, stay)) => (self.referral(), *stay),
            Some((payload, stay)) => (payload.parse().ok(), *stay),
        })
    }

    /// The deep link of somebody who shares one: a few bring many.
    fn referral(&mut self) -> Option<StartPayload> {
        let place = self.random.u32(..REFERRERS) * self.random.u32(..=REFERRERS) / REFERRERS;
        format!("{REFERRAL}_{:03}", place + 1).parse().ok()
    }

    /// A moment of a day that is not before another moment.
    fn not_before(&mut self, (day, share): Moment, of: NaiveDate) -> Moment {
        let earliest = if day == of { share } else { 0 };
        (of, self.random.u32(earliest..=SHARES))
    }

    fn time(&self, (day, share): Moment) -> DateTime<Utc> {
        self.period.moment(day, share)
    }

    /// When the bot was blocked and unblocked, and when the person was there last.
    fn changes(
        &mut self,
        arrived: Moment,
        life: &Life,
    ) -> (Vec<ReachabilityChange>, DateTime<Utc>) {
        let mut changes = Vec::new();
        let mut last = arrived;
        for &(day, blocked) in &life.blocks {
            last = self.not_before(last, day);
            let obstacle = blocked.then_some(UnreachableReason::Blocked);
            changes.push(ReachabilityChange { at: self.time(last), obstacle });
        }
        let last_seen = match (life.days.as_slice(), life.blocks.last()) {
            // That was the last thing they did, or the only one.
            ([.., (day, _)], Some((blocked_on, true))) if day == blocked_on => last,
            ([(_, 1)], _) => last,
            ([.., (day, _)], _) => self.not_before(last, *day),
            ([], _) => last,
        };
        if let Some((day, obstacle)) = life.lost {
            let found = self.not_before(last_seen, day);
            changes.push(ReachabilityChange { at: self.time(found), obstacle: Some(obstacle) });
        }
        (changes, self.time(last_seen))
    }

    /// A few who are there already come by a deep link once more.
    fn comes_again(&mut self, life: &mut Life) -> Option<(DateTime<Utc>, StartPayload)> {
        let [_, between @ .., _] = life.days.as_mut_slice() else { return None };
        if !happens(60, &mut self.random) {
            return None;
        }
        let place = self.random.usize(..between.len().max(1));
        let (day, interactions) = between.get_mut(place)?;
        if life.blocks.iter().any(|(changed_on, _)| changed_on == day) {
            return None;
        }
        let day = *day;
        let source = self.source(None)?.0?;
        *interactions += 1;
        self.uses.add_start(day);
        let at = self.not_before((day, 0), day);
        Some((self.time(at), source))
    }

    /// Counts what a user did, and returns the days with the hours of their first interactions.
    /// `known` are the times of some interactions.
    fn count(
        &mut self,
        life: &Life,
        user: &TelegramUser,
        known: &[DateTime<Utc>],
    ) -> Vec<(ActiveDay, u32)> {
        for &(day, _) in &life.blocks {
            self.uses.add_reachability_change(day);
        }
        let mut days = Vec::new();
        for &(day, interactions) in &life.days {
            let known = known.iter().chain([&user.created_at, &user.last_seen]).copied();
            let known: Vec<_> = known.filter(|at| at.date_naive() == day).collect();
            let mut shares: Vec<u32> =
                (0..interactions).map(|_| self.random.u32(..=SHARES)).collect();
            shares.sort_unstable();
            let period = self.period;
            let mut times = shares.into_iter().map(|share| period.moment(day, share));
            let earliest = times.next();
            let first = if day == user.created_at.date_naive() {
                user.created_at
            } else {
                known.into_iter().chain(earliest).min().unwrap_or(user.created_at)
            };
            let others = times.map(|time| time.clamp(first, first.max(user.last_seen)));
            for time in std::iter::once(first).chain(others) {
                self.uses.add_interaction(time);
            }
            days.push((ActiveDay::at(first), interactions));
        }
        days
    }
}

/// A day, and a share of it.
type Moment = (NaiveDate, u32);

impl Iterator for People {
    type Item = History;

    fn next(&mut self) -> Option<History> {
        let Arrival { day, share, campaign } = self.arrivals.next()?;
        self.random = self.seeds.fork();
        let arrived = (day, share);
        let mut user = self.somebody(self.time(arrived))?;
        let is_private = user.reachability.has_private_chat;
        let (source, stay) = if is_private { self.source(campaign)? } else { (None, 100) };
        let mut life = live(day, stay, is_private, &self.period, &mut self.random)?;

        let mut starts = Vec::from_iter(source.clone().map(|source| (user.created_at, source)));
        if is_private {
            self.uses.add_start(day);
            starts.extend(self.comes_again(&mut life));
        }
        let (reach_changes, last_seen) = self.changes(arrived, &life);
        user.last_seen = last_seen;
        user.reachability = reach(is_private, &reach_changes);
        user.source = source;
        let own = reach_changes.iter().take(life.blocks.len()).map(|change| change.at);
        let known: Vec<_> = own.chain(starts.iter().map(|(at, _)| *at)).collect();
        let days = self.count(&life, &user, &known);
        let uses = used(&user, &life, &starts);
        Some(History { user, days, reach_changes, starts, uses })
    }
}

fn reach(has_private_chat: bool, changes: &[ReachabilityChange]) -> Reachability {
    let latest = |is_free: bool| {
        let alike = changes.iter().rev().find(|change| change.obstacle.is_none() == is_free);
        alike.map(|change| change.at)
    };
    Reachability {
        has_private_chat,
        obstacle: changes.last().and_then(|change| change.obstacle),
        blocked_at: latest(false),
        unblocked_at: latest(true),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use chrono::Days;
    use rollcall_domain::{CommandUse, Figure, Hour, Username};

    use super::super::arrivals::CAMPAIGNS;
    use super::*;

    fn people(users: u64, days: u32, seed: u64, now: &str) -> People {
        People::new(users, days, seed, now.parse().unwrap())
    }

    #[test]
    fn the_same_seed_brings_the_same_people_and_another_brings_others() {
        let some = |seed| people(500, 90, seed, "2026-11-23T13:00:00Z").collect::<Vec<_>>();
        assert_eq!(some(1), some(1));
        assert_ne!(some(1), some(2));
        let uses = |seed| {
            let mut people = people(500, 90, seed, "2026-11-23T13:00:00Z");
            people.by_ref().for_each(drop);
            people.uses()
        };
        assert_eq!(uses(1), uses(1));
    }

    #[test]
    fn every_past_is_one_that_could_have_been() {
        for (users, days, now) in [
            (4000, 400, "2026-11-23T13:00:00Z"),
            (4000, 30, "2026-11-23T00:00:00Z"),
            (1000, 2, "2026-11-23T00:00:01Z"),
            (1000, 1, "2026-11-23T23:59:59Z"),
            (1, 3660, "2026-11-23T06:00:00Z"),
        ] {
            for seed in 0..5 {
                let all: Vec<History> = people(users, days, seed, now).collect();
                assert_eq!(all.len(), usize::try_from(users).unwrap());
                assert!(all.is_sorted_by_key(|history| history.user.created_at));
                assert!(all.windows(2).all(|it| it[0].user.telegram_id < it[1].user.telegram_id));
                let usernames: Vec<String> = all
                    .iter()
                    .filter_map(|it| it.user.username.as_ref().map(Username::key))
                    .collect();
                let different: BTreeSet<&String> = usernames.iter().collect();
                assert_eq!(different.len(), usernames.len());

                let now: DateTime<Utc> = now.parse().unwrap();
                let first = now.date_naive() - Days::new(u64::from(days) - 1);
                for history in &all {
                    assert!(history.user.created_at.date_naive() >= first);
                    check(history, now);
                }
            }
        }
    }

    fn check(history: &History, now: DateTime<Utc>) {
        let History { user, days, reach_changes, starts, uses } = history;
        assert!(user.created_at <= user.updated_at, "{history:?}");
        assert!(user.updated_at <= user.last_seen && user.last_seen <= now, "{history:?}");
        assert!(days.windows(2).all(|it| it[0].0.day < it[1].0.day), "{history:?}");
        assert!(days.iter().all(|(_, interactions)| *interactions > 0), "{history:?}");
        assert_eq!(days[0].0, ActiveDay::at(user.created_at), "{history:?}");
        assert_eq!(days[days.len() - 1].0.day, user.active_day(), "{history:?}");

        let starts_at = |at: DateTime<Utc>| {
            let mut days = days.iter().map(|(day, _)| day);
            days.any(|it| it.day == at.date_naive() && it.first_hour <= Some(Hour::of(at)))
        };
        assert!(starts_at(user.last_seen), "{history:?}");

        let mut reach = Reachability {
            has_private_chat: user.reachability.has_private_chat,
            ..Reachability::default()
        };
        assert!(reach_changes.windows(2).all(|it| it[0].at < it[1].at), "{history:?}");
        for change in reach_changes {
            assert!(user.created_at <= change.at && change.at <= now, "{history:?}");
            assert_ne!(change.obstacle, reach.obstacle, "{history:?}");
            reach.obstacle = change.obstacle;
            match change.obstacle {
                None => reach.unblocked_at = Some(change.at),
                Some(_) => reach.blocked_at = Some(change.at),
            }
            // Who blocks or unblocks does something; who turns out to be gone does not.
            if matches!(change.obstacle, None | Some(UnreachableReason::Blocked)) {
                assert!(change.at <= user.last_seen, "{history:?}");
                assert!(starts_at(change.at), "{history:?}");
            } else {
                assert!(change.at > user.last_seen, "{history:?}");
            }
        }
        assert_eq!(reach, user.reachability, "{history:?}");
        assert!(reach.has_private_chat || reach_changes.is_empty(), "{history:?}");

        assert!(starts.windows(2).all(|it| it[0].0 < it[1].0), "{history:?}");
        for (at, _) in starts {
            assert!(user.created_at <= *at && *at <= user.last_seen, "{history:?}");
            assert!(starts_at(*at), "{history:?}");
        }
        assert!(uses.is_sorted_by(|a, b| a.command < b.command), "{history:?}");
        for CommandUse { days: used, .. } in uses {
            let is_active = |day| days.iter().any(|(it, _)| it.day == day);
            assert!(is_active(used.first) && is_active(used.last), "{history:?}");
            let number = usize::try_from(used.number).unwrap();
            assert!(used.first <= used.last && number <= days.len(), "{history:?}");
        }
        let started = uses.iter().find(|it| it.command == "/start");
        let first = started.map(|it| it.days.first);
        let joined = user.created_at.date_naive();
        assert_eq!(first, reach.has_private_chat.then_some(joined), "{history:?}");

        let came_by = starts.first().filter(|(at, _)| *at == user.created_at);
        assert_eq!(came_by.map(|(_, source)| source), user.source.as_ref(), "{history:?}");
    }

    #[test]
    fn kinds_and_hours_add_up_to_the_interactions_of_each_day() {
        for (days, now) in [(200, "2026-11-23T13:00:00Z"), (1, "2026-11-23T00:00:00Z")] {
            let at_now: DateTime<Utc> = now.parse().unwrap();
            let mut people = people(3000, days, 7, now);
            let mut interactions: BTreeMap<NaiveDate, i64> = BTreeMap::new();
            for history in people.by_ref() {
                for (day, count) in history.days {
                    *interactions.entry(day.day).or_default() += i64::from(count);
                }
            }
            let last_hour: i64 = people.minutes().iter().map(|(_, count)| count).sum();
            let minutes = people.minutes();
            assert!(
                minutes.len() <= 60 && minutes.iter().all(|(at, _)| *at <= at_now),
                "{minutes:?}"
            );
            let all_day = interactions.values().last().copied().unwrap_or_default();
            assert!(last_hour <= all_day, "{last_hour} of {all_day}");
            let [mut by_kind, mut by_hour, mut commands, mut by_command] =
                [const { BTreeMap::new() }; 4];
            for UseCount { figure, day, label, count } in people.uses() {
                let sums = match figure {
                    Figure::Command => &mut by_command,
                    Figure::InteractionHour => &mut by_hour,
                    _ => &mut by_kind,
                };
                *sums.entry(day).or_insert(0) += count;
                if (figure, label) == (Figure::Kind, "command".into()) {
                    commands.insert(day, count);
                }
            }
            assert_eq!(by_kind, interactions);
            assert_eq!(by_hour, interactions);
            assert_eq!(by_command, commands);
        }
    }

    #[test]
    fn people_are_of_every_sort() {
        let all: Vec<History> = people(20_000, 365, 1, "2026-11-23T13:00:00Z").collect();
        let percent = |is: &dyn Fn(&History) -> bool| {
            all.iter().filter(|history| is(history)).count() * 100 / all.len()
        };
        let days: usize = all.iter().map(|history| history.days.len()).sum();
        assert!((9..=12).contains(&(days / all.len())), "{} days", days / all.len());
        let once = percent(&|it| it.days.len() == 1);
        assert!((25..50).contains(&once), "{once}% come once");
        let with_source = percent(&|it| it.user.source.is_some());
        assert!((35..45).contains(&with_source), "{with_source}% have a source");
        let with_username = percent(&|it| it.user.username.is_some());
        assert!((57..63).contains(&with_username), "{with_username}% have a username");
        let reachable = percent(&|it| it.user.reachability.is_reachable());
        assert!((65..85).contains(&reachable), "{reachable}% can be reached");
        assert!(all.iter().any(|it| it.user.is_bot));
        assert!(all.iter().any(|it| !it.user.reachability.has_private_chat && !it.user.is_bot));
        assert!(all.iter().any(|it| it.user.language_code.is_none()));
        assert!(all.iter().any(|it| it.user.reachability.unblocked_at.is_some()));

        let sources: BTreeSet<&str> =
            all.iter().filter_map(|it| it.user.source.as_ref().map(StartPayload::as_str)).collect();
        let known = SOURCES.iter().filter_map(|(source, _)| source.map(|(payload, _)| payload));
        for payload in known.filter(|payload| *payload != REFERRAL).chain(CAMPAIGNS) {
            assert!(sources.contains(payload), "{payload}");
        }
        assert!(sources.iter().filter(|source| source.starts_with("ref_")).count() > 100);
    }
}
