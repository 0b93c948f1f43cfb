//! Which commands and buttons people use, and on which days.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{CommandUse, DaysOfUse, StartPayload, TelegramUser};

use super::{chance::happens, life::Life};

/// Commands, and on how many of a thousand days people use each; after it, on how many of a thousand
/// of these days they press its buttons.
const COMMANDS: [(&str, u32, &str, u32); 3] = [
    ("/schedule", 420, "schedule", 600),
    ("/help", 50, "help", 0),
    ("/settings", 40, "settings", 850),
];

/// What a user used on the days of a life, by command. Each private chat begins with /start. The
/// choices are the user's own, so that other users stay as they are.
pub(super) fn used(
    user: &TelegramUser,
    life: &Life,
    starts: &[(DateTime<Utc>, StartPayload)],
) -> Vec<CommandUse> {
    let mut random = fastrand::Rng::with_seed(user.telegram_id.get().unsigned_abs());
    let joined = user.reachability.has_private_chat.then(|| user.created_at.date_naive());
    let mut uses: BTreeMap<&str, DaysOfUse> = BTreeMap::new();
    let mut add = |command, day: NaiveDate| {
        uses.entry(command).or_insert(DaysOfUse::first(day)).add(day);
    };
    for &(day, interactions) in &life.days {
        let started = starts.iter().filter(|(at, _)| at.date_naive() == day).count();
        let has_started = joined == Some(day) || started > 0;
        if has_started {
            add("/start", day);
        }
        let changed = life.blocks.iter().filter(|(changed_on, _)| *changed_on == day).count();
        let known = started.max(usize::from(has_started)) + changed;
        // The others are commands, buttons or texts.
        let mut others = usize::try_from(interactions).unwrap_or_default().saturating_sub(known);
        for (command, often, buttons, pressed) in COMMANDS {
            if others == 0 || !happens(often, &mut random) {
                continue;
            }
            add(command, day);
            others -= 1;
            if others > 0 && happens(pressed, &mut random) {
                add(buttons, day);
                others -= 1;
            }
        }
    }
    let used =
        |(command, days): (&str, DaysOfUse)| CommandUse { command: command.to_owned(), days };
    uses.into_iter().map(used).collect()
}
