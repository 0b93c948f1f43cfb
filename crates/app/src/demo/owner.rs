//! The owner of the simulated bot, who reads /stats every day.

use std::{convert::Infallible, sync::Arc, time::Duration};

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use rollcall_domain::{ActiveDay, Figure, Hour, InteractionKind, TelegramUser};
use rollcall_repository::{DemoRepository, History, UseCount};
use rollcall_repository_diesel::DieselUserRepository;
use rollcall_simulator::{Person, Simulator};
use tokio::time::sleep;

/// No account of Telegram has this id.
pub(super) const ID: i64 = 4_400_000_000_000_000;
const NAME: &str = "The owner";
const LANGUAGE: &str = "en";
/// When the owner reads the figures on past days (UTC), give or take a few minutes.
const READS_AT: TimeDelta = TimeDelta::minutes(8 * 60 + 5);
/// How long after the start the owner reads them for the first time, and how often from then on.
const READS_FIRST: Duration = Duration::from_secs(20);
const READS_EVERY: Duration = Duration::from_secs(15 * 60);

/// Reads the figures now and then, while the demo runs.
pub(super) async fn read_stats(simulator: &Simulator) -> Infallible {
    let owner = Person::new(ID, NAME).language_code(LANGUAGE);
    sleep(READS_FIRST).await;
    loop {
        simulator.write(&owner, "/stats");
        sleep(READS_EVERY).await;
    }
}

/// Adds the owner's past: the first user, and a look at the figures on every day from then on.
pub(super) async fn add(
    repository: &DieselUserRepository,
    days: u32,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let times = times(days, now);
    let (Some(&first), Some(&last)) = (times.first(), times.last()) else { return Ok(()) };
    let mut user = TelegramUser::new(ID.try_into()?, first);
    user.first_name = NAME.to_owned();
    user.language_code = Some(LANGUAGE.to_owned());
    user.last_seen = last;
    user.reachability.has_private_chat = true;
    let days = times.iter().map(|&at| (ActiveDay::at(at), 1)).collect();
    let history =
        History { user, days, reach_changes: Vec::new(), starts: Vec::new(), uses: Vec::new() };
    repository.load(Arc::from([history])).await?;
    let commands = std::iter::once("start").chain(std::iter::repeat("stats"));
    let uses = times.iter().zip(commands).flat_map(|(&at, command)| uses(at, command));
    Ok(repository.count_uses(&uses.collect::<Vec<_>>()).await?)
}

/// When the owner was active: once a day up to now, and on the first day as the first of all.
fn times(days: u32, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let today = now.date_naive();
    let days = u64::from(days).saturating_sub(1);
    let first = today.checked_sub_days(Days::new(days)).unwrap_or(today);
    let days = first.iter_days().take_while(|day| *day <= today);
    let times = (0..).zip(days).map(|(number, day)| {
        let minutes = TimeDelta::minutes(number * 37 % 50);
        let since_midnight = if number == 0 { TimeDelta::zero() } else { READS_AT + minutes };
        day.and_time(NaiveTime::MIN).and_utc() + since_midnight
    });
    times.filter(|at| *at <= now).collect()
}

/// What a command counts.
fn uses(at: DateTime<Utc>, command: &'static str) -> [UseCount; 3] {
    let day = at.date_naive();
    let count = |figure, label| UseCount { figure, day, label, count: 1 };
    [
        count(Figure::Kind, InteractionKind::Command.name().into()),
        count(Figure::Command, command.into()),
        count(Figure::InteractionHour, Hour::of(at).into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_was_there_once_a_day_and_never_in_the_future() {
        for (now, last) in [
            ("2026-11-27T00:00:00Z", "2026-11-26 08:42:00 UTC"),
            ("2026-11-27T12:00:00Z", "2026-11-27 08:29:00 UTC"),
        ] {
            let now: DateTime<Utc> = now.parse().unwrap();
            let times = times(3, now);
            assert_eq!(times.first().unwrap().to_string(), "2026-11-25 00:00:00 UTC");
            assert_eq!(times.last().unwrap().to_string(), last);
            assert!(times.windows(2).all(|it| it[0].date_naive() < it[1].date_naive()));
        }
        assert_eq!(times(1, "2026-11-27T00:00:00Z".parse().unwrap()).len(), 1);
    }
}
