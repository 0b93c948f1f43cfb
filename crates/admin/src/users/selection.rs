//! The users that are ticked in a list.

use rollcall_domain::TelegramId;

use crate::page::Failure;

/// How many users can be selected at once: several pages. The script knows it, too.
const MOST: usize = 500;

/// The ids in a form, sorted. A form without any is refused.
pub(super) fn selected_ids(pairs: &[(String, String)]) -> Result<Vec<TelegramId>, Failure> {
    let ids = pairs.iter().filter(|(name, _)| name == "id");
    let read = |(_, id): &(String, String)| {
        id.parse().map_err(|error| Failure::invalid(format!("A user cannot be selected: {error}.")))
    };
    let mut ids: Vec<TelegramId> = ids.map(read).collect::<Result<_, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    match ids.len() {
        0 => Err(Failure::Refused("No users selected. Tick at least one.")),
        1..=MOST => Ok(ids),
        _ => Err(Failure::Refused("Too many users selected: at most 500 are allowed.")),
    }
}
