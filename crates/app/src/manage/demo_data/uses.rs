//! What people do with the bot: the kinds of their interactions, and the commands.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use rollcall_domain::{Figure, Hour, InteractionKind};
use rollcall_repository::UseCount;

/// Of a hundred interactions, how many are commands, besides those by which people come.
const COMMANDS_PERCENT: std::ops::RangeInclusive<u64> = 27..=35;
/// What commands are used, compared with each other.
const COMMANDS: [(&str, u64); 3] = [("schedule", 74), ("help", 11), ("(other)", 15)];
/// What other kinds of interactions there are, compared with each other.
const KINDS: [(InteractionKind, u64); 8] = [
    (InteractionKind::CallbackQuery, 39),
    (InteractionKind::Text, 35),
    (InteractionKind::InlineQuery, 9),
    (InteractionKind::Message, 6),
    (InteractionKind::MessageReaction, 4),
    (InteractionKind::EditedMessage, 3),
    (InteractionKind::PollAnswer, 3),
    (InteractionKind::ChosenInlineResult, 1),
];

/// How much happened on each day, and in each minute of the last hour.
#[derive(Clone, Debug)]
pub(super) struct Uses {
    days: BTreeMap<NaiveDate, Tally>,
    minutes: BTreeMap<DateTime<Utc>, i64>,
    first_minute: DateTime<Utc>,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    interactions: u64,
    by_hour: BTreeMap<Hour, u64>,
    /// How many of them were a /start by which somebody came.
    starts: u64,
    /// How many of them were that somebody blocked or unblocked the bot.
    reach_changes: u64,
}

impl Uses {
    /// Nothing has happened yet in the hour up to `now`, or before.
    pub(super) fn until(now: DateTime<Utc>) -> Self {
        let first_minute = minute_of(now) - TimeDelta::minutes(59);
        Self { days: BTreeMap::new(), minutes: BTreeMap::new(), first_minute }
    }

    pub(super) fn add_interaction(&mut self, at: DateTime<Utc>) {
        let minute = minute_of(at);
        if minute >= self.first_minute {
            *self.minutes.entry(minute).or_default() += 1;
        }
        let tally = self.days.entry(at.date_naive()).or_default();
        tally.interactions += 1;
        *tally.by_hour.entry(Hour::of(at)).or_default() += 1;
    }

    /// Records that one of the interactions of the day was the /start that brought a user.
    pub(super) fn add_start(&mut self, day: NaiveDate) {
        self.days.entry(day).or_default().starts += 1;
    }

    /// Records that one of the interactions of the day was a block or unblock.
    pub(super) fn add_reachability_change(&mut self, day: NaiveDate) {
        self.days.entry(day).or_default().reach_changes += 1;
    }

    /// The interactions of the last hour by minute.
    pub(super) fn by_minute(&self) -> Vec<(DateTime<Utc>, i64)> {
        self.minutes.iter().map(|(&minute, &count)| (minute, count)).collect()
    }

    /// The uses of commands and the interactions by kind, which add up to those of each day.
    pub(super) fn by_figure(&self, random: &mut fastrand::Rng) -> Vec<UseCount> {
        let mut uses = Vec::new();
        for (&day, Tally { interactions, by_hour, starts, reach_changes }) in &self.days {
            let (&starts, &reach_changes) = (starts, reach_changes);
            let others = interactions.saturating_sub(starts + reach_changes);
            let commands = others * random.u64(COMMANDS_PERCENT) / 100;
            let mut kinds = divide(others - commands, &KINDS, random);
            kinds.push((InteractionKind::Command, starts + commands));
            kinds.push((InteractionKind::MyChatMember, reach_changes));
            let mut commands = divide(commands, &COMMANDS, random);
            commands.push(("start", starts));

            let kinds =
                kinds.into_iter().map(|(kind, count)| (Figure::Kind, kind.name().into(), count));
            let commands =
                commands.into_iter().map(|(name, count)| (Figure::Command, name.into(), count));
            let hours =
                by_hour.iter().map(|(&hour, &count)| (Figure::InteractionHour, hour.into(), count));
            uses.extend(kinds.chain(commands).chain(hours).filter_map(|(figure, label, count)| {
                let count = i64::try_from(count).ok().filter(|count| *count > 0)?;
                Some(UseCount { figure, day, label, count })
            }));
        }
        uses
    }
}

fn minute_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at)
}

/// Divides a count by weights, which differ a little each time.
fn divide<T: Copy>(count: u64, weights: &[(T, u64)], random: &mut fastrand::Rng) -> Vec<(T, u64)> {
    let varied: Vec<(T, u64)> =
        weights.iter().map(|&(it, weight)| (it, weight * random.u64(85..=115))).collect();
    let total: u64 = varied.iter().map(|(_, weight)| weight).sum();
    let (mut before, mut given) = (0, 0);
    let share = |(it, weight)| {
        before += weight;
        // Rounded where it is summed up, so that nothing is lost.
        let part = count * before / total - given;
        given += part;
        (it, part)
    };
    varied.into_iter().map(share).collect()
}
