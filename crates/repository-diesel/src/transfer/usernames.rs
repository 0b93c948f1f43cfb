//! Usernames that several imported or stored users claim.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use rollcall_domain::TelegramUser;

use crate::{
    base::transaction::Transaction,
    registration::usernames::{UsernameHolder, hold, holders},
};

/// A user that loses its username, and when.
pub(super) struct Loser {
    pub(super) telegram_id: i64,
    pub(super) at: DateTime<Utc>,
}

/// A user that claims a username. The one seen last gets it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    seen: DateTime<Utc>,
    telegram_id: i64,
}

impl Claim {
    fn of(user: &TelegramUser) -> Self {
        Self {
            seen: user.profile_seen.unwrap_or(user.last_seen),
            telegram_id: user.telegram_id.get(),
        }
    }

    fn of_holder(holder: &UsernameHolder) -> Self {
        Self {
            seen: holder.profile_seen().unwrap_or_else(|| holder.last_seen()),
            telegram_id: holder.telegram_id,
        }
    }
}

/// Gives each username to the user that was seen last of those that claim it, and takes it from the
/// other `users`. Returns the stored users that lose theirs.
pub(super) fn settle(
    connection: &mut Transaction<'_>,
    users: &mut [&mut TelegramUser],
) -> QueryResult<Vec<Loser>> {
    let keys: BTreeSet<String> =
        users.iter().filter_map(|user| user.username.as_ref()).map(|it| it.key()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let holders = holders(connection, &keys)?;
    let imported: BTreeSet<i64> = users.iter().map(|user| user.telegram_id.get()).collect();
    let others: Vec<(String, Claim)> = holders
        .iter()
        .filter(|holder| !imported.contains(&holder.telegram_id))
        .map(|holder| (holder.username().to_ascii_lowercase(), Claim::of_holder(holder)))
        .collect();
    let claims =
        users.iter().filter_map(|user| Some((user.username.as_ref()?.key(), Claim::of(user))));
    let mut owners: HashMap<String, Claim> = HashMap::new();
    for (key, claim) in claims.chain(others.iter().cloned()) {
        let owner = owners.entry(key).or_insert(claim);
        *owner = (*owner).max(claim);
    }
    let owns = |key: &str, id: i64| owners.get(key).is_some_and(|owner| owner.telegram_id == id);
    for user in users {
        let id = user.telegram_id.get();
        user.username = user.username.take().filter(|username| owns(&username.key(), id));
    }
    hold(connection, owners.iter().map(|(key, owner)| (key.as_str(), owner.telegram_id)))?;
    let lost = others.iter().filter(|(key, claim)| !owns(key, claim.telegram_id));
    Ok(lost
        .map(|(key, claim)| Loser {
            telegram_id: claim.telegram_id,
            at: owners.get(key).map_or(DateTime::UNIX_EPOCH, |owner| owner.seen),
        })
        .collect())
}
