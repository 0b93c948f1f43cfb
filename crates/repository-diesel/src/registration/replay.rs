//! What a batch makes of its users, computed in memory from the rows that the upsert answered.

use std::collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry};

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{Interaction, LatestDay, ReachChange, TelegramId, TelegramUser, Username};

/// The users of a batch while its interactions are replayed, one after the other.
#[derive(Default)]
pub(super) struct Replay {
    /// The users of the batch, as the interactions replayed so far leave them.
    pub(super) users: HashMap<TelegramId, Replayed>,
    /// Who holds each username that the batch may claim, by the username's key.
    holders: HashMap<String, Holder>,
    /// Users outside the batch who lose their username, and when.
    pub(super) losers: BTreeMap<TelegramId, DateTime<Utc>>,
    /// Who could no longer be reached, or could be again.
    pub(super) reach_changes: Vec<(TelegramId, ReachChange)>,
}

/// A user of the batch.
pub(super) struct Replayed {
    /// The user after the interactions replayed so far.
    pub(super) user: TelegramUser,
    /// The user as its row stands in the database.
    pub(super) stored: TelegramUser,
    /// The user's latest day of activity after the batch.
    pub(super) latest: LatestDay,
    /// The latest day as its row has it.
    pub(super) stored_latest: LatestDay,
    /// How many interactions of the batch there are on each day that is not the row's latest.
    pub(super) other_days: BTreeMap<NaiveDate, i32>,
    /// How many there are on the row's latest day.
    pub(super) on_stored_day: i32,
    /// Whether the batch created the user.
    pub(super) created: bool,
}

impl Replayed {
    /// Whether the row is to be updated.
    pub(super) fn has_changed(&self) -> bool {
        self.user != self.stored || self.latest != self.stored_latest
    }

    fn count_day(&mut self, day: NaiveDate) {
        if day == self.stored_latest.day {
            self.on_stored_day += 1;
        } else {
            *self.other_days.entry(day).or_default() += 1;
        }
    }

    /// A user whom the batch leaves as it stands.
    pub(super) fn unchanged(user: TelegramUser) -> Self {
        let latest = LatestDay::first(user.active_day(), 0);
        Self {
            user: user.clone(),
            stored: user,
            latest,
            stored_latest: latest,
            other_days: BTreeMap::new(),
            on_stored_day: 0,
            created: false,
        }
    }
}

/// Somebody who holds a username.
#[derive(Clone, Copy)]
enum Holder {
    /// A user of the batch.
    Within(TelegramId),
    /// Somebody else, and when that user was last seen.
    Outside(TelegramId, DateTime<Utc>),
}

impl Replay {
    /// Adds a user of the batch. `stored` is its row after the upsert, `previous_seen` its
    /// `last_seen` before it; `None` where the upsert created the row. On the row's latest day,
    /// which the upsert does not move, there were `on_day` interactions, and the user was active on
    /// `of_month` days of its month.
    pub(super) fn add(
        &mut self,
        stored: TelegramUser,
        previous_seen: Option<DateTime<Utc>>,
        on_day: i32,
        of_month: i16,
    ) {
        let user = match previous_seen {
            Some(last_seen) => TelegramUser { last_seen, ..stored.clone() },
            // Nobody yet: the first interaction makes somebody of it.
            None => TelegramUser {
                source: stored.source.clone(),
                ..TelegramUser::new(stored.telegram_id, stored.created_at)
            },
        };
        let latest = LatestDay {
            day: previous_seen.unwrap_or(stored.last_seen).date_naive(),
            interactions: on_day,
            days_of_month: u32::try_from(of_month).unwrap_or_default(),
        };
        let replayed = Replayed {
            user,
            stored,
            latest,
            stored_latest: latest,
            other_days: BTreeMap::new(),
            on_stored_day: 0,
            created: previous_seen.is_none(),
        };
        self.users.insert(replayed.stored.telegram_id, replayed);
    }

    /// The keys of the usernames that may change hands: those which users of the batch show and do
    /// not hold already. Few as a rule, and sorted.
    pub(super) fn contested(&self, interactions: &[&Interaction]) -> BTreeSet<String> {
        interactions
            .iter()
            .filter_map(|interaction| {
                let shown = interaction.profile.shown_username()?;
                let held = self.users.get(&interaction.telegram_id())?.user.username.as_ref();
                (held != Some(shown)).then(|| shown.key())
            })
            .collect()
    }

    /// Adds those who hold contested usernames: id, username and `last_seen` of each. Users of the
    /// batch among them are known already, and as they were before it.
    pub(super) fn add_holders(
        &mut self,
        contested: &BTreeSet<String>,
        holders: impl IntoIterator<Item = (TelegramId, Username, DateTime<Utc>)>,
    ) {
        for Replayed { user, .. } in self.users.values() {
            if let Some(key) = user.username.as_ref().map(Username::key)
                && contested.contains(&key)
            {
                self.holders.insert(key, Holder::Within(user.telegram_id));
            }
        }
        for (id, username, last_seen) in holders {
            if !self.users.contains_key(&id) {
                self.holders.insert(username.key(), Holder::Outside(id, last_seen));
            }
        }
    }

    /// Replays one interaction: the rules of registration for its user, and of usernames for
    /// everybody.
    pub(super) fn observe(&mut self, interaction: &Interaction) {
        let id = interaction.telegram_id();
        let Some(replayed) = self.users.get_mut(&id) else { return };
        replayed.count_day(interaction.at.date_naive());
        let user = &mut replayed.user;
        let shows_another = user.username.as_ref() != interaction.profile.shown_username();
        let before = shows_another.then(|| user.clone());
        self.reach_changes.extend(user.observe(interaction).map(|change| (id, change)));
        let Some(before) = before else { return };
        let after = user.username.clone();
        if before.username == after {
            return;
        }
        self.release(id, before.username.as_ref());
        if let Some(username) = after
            && !self.claim(id, &username, interaction.at)
            && let Some(Replayed { user, .. }) = self.users.get_mut(&id)
        {
            user.username = None;
            let TelegramUser { last_seen, updated_at, reach, .. } = *user;
            let is_as_before =
                *user == TelegramUser { last_seen, updated_at, reach, ..before.clone() };
            if is_as_before {
                user.updated_at = before.updated_at;
            }
        }
    }

    fn release(&mut self, id: TelegramId, username: Option<&Username>) {
        if let Some(username) = username
            && let Entry::Occupied(holder) = self.holders.entry(username.key())
            && matches!(holder.get(), Holder::Within(within) if *within == id)
        {
            holder.remove();
        }
    }

    /// Of two who show one username, the one seen later keeps it; at the same time, the new one.
    /// Answers whether the claim holds; whoever loses the username by it no longer has it.
    fn claim(&mut self, id: TelegramId, username: &Username, at: DateTime<Utc>) -> bool {
        let key = username.key();
        let holder = self.holders.get(&key).copied();
        match holder {
            None => {}
            Some(Holder::Outside(_, last_seen)) if last_seen > at => return false,
            Some(Holder::Outside(loser, _)) => {
                self.losers.insert(loser, at);
            }
            Some(Holder::Within(holder)) => {
                if let Some(Replayed { user, .. }) = self.users.get_mut(&holder) {
                    if user.last_seen > at {
                        return false;
                    }
                    user.username = None;
                    user.updated_at = user.updated_at.max(at);
                }
            }
        }
        self.holders.insert(key, Holder::Within(id));
        true
    }
}
