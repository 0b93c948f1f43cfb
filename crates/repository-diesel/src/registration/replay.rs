//! What a batch makes of its users, computed in memory from the rows that the upsert answered.

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map, hash_map::Entry};

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    Interaction, LatestDay, ProfileField, ReachabilityChange, TelegramId, TelegramUser, Username,
};

use super::{ChangeKey, OldAndNew};

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
    pub(super) reach_changes: Vec<(TelegramId, ReachabilityChange)>,
    /// How profiles changed, of users who were there.
    pub(super) profile_changes: BTreeMap<ChangeKey, OldAndNew>,
}

/// What a row tells of its latest day of activity, besides which it is.
pub(super) struct StoredDay {
    /// How many interactions there were on it.
    pub(super) interactions: i32,
    /// On how many days of its month the user was active.
    pub(super) of_month: i16,
    /// On how many days the user was ever active.
    pub(super) ever: i32,
}

/// A user of the batch.
pub(super) struct Replayed {
    /// The user after the interactions replayed so far.
    pub(super) user: TelegramUser,
    /// The user as its row stands in the database.
    pub(super) stored: TelegramUser,
    /// The number of the label under which the user's source counts.
    pub(super) source_label: Option<i32>,
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
    pub(super) fn unchanged(user: TelegramUser, source_label: Option<i32>) -> Self {
        let latest = LatestDay::first(user.active_day(), 0);
        Self {
            user: user.clone(),
            stored: user,
            source_label,
            latest,
            stored_latest: latest,
            other_days: BTreeMap::new(),
            on_stored_day: 0,
            created: false,
        }
    }
}

/// Somebody who holds a username.
#[derive(Clone)]
enum Holder {
    /// A user of the batch.
    Within(TelegramId),
    /// Somebody else, with the username as it is stored, and when that user was last seen for
    /// certain.
    Outside(TelegramId, Username, DateTime<Utc>),
}

impl Replay {
    /// Adds a user of the batch. `stored` is its row after the upsert, with the number of its
    /// source's label, `previous_seen` its `last_seen` before it; `None` where the upsert created the
    /// row. The upsert does not move the row's latest day.
    pub(super) fn add(
        &mut self,
        stored: TelegramUser,
        source_label: Option<i32>,
        previous_seen: Option<DateTime<Utc>>,
        StoredDay { interactions, of_month, ever }: StoredDay,
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
            interactions,
            days_of_month: u32::try_from(of_month).unwrap_or_default(),
            days_ever: u32::try_from(ever).unwrap_or_default(),
        };
        let replayed = Replayed {
            user,
            stored,
            source_label,
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

    /// Adds those who hold contested usernames: id, username and when each was last seen for certain. Users of the
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
        for (id, username, seen) in holders {
            if !self.users.contains_key(&id) {
                self.holders.insert(username.key(), Holder::Outside(id, username, seen));
            }
        }
    }

    /// Replays one interaction: the rules of registration for its user, and of usernames for
    /// everybody.
    pub(super) fn observe(&mut self, interaction: &Interaction, now: DateTime<Utc>) {
        let id = interaction.telegram_id();
        let Some(replayed) = self.users.get_mut(&id) else { return };
        replayed.count_day(interaction.at.date_naive());
        let user = &mut replayed.user;
        let before = user.differs_from(&interaction.profile).then(|| user.clone());
        self.reach_changes.extend(user.observe(interaction, now).map(|change| (id, change)));
        let Some(before) = before else { return };
        let after = user.username.clone();
        if before.username != after {
            self.release(id, before.username.as_ref());
            self.settle_username(&before, after, interaction.at, now);
        }
        self.note_changes(&before, interaction.at);
    }

    /// Lets a user have the username that it shows now, unless somebody else has a better claim.
    fn settle_username(
        &mut self,
        before: &TelegramUser,
        shown: Option<Username>,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        let id = before.telegram_id;
        if let Some(username) = shown
            && !self.claim(id, &username, at, now)
            && let Some(Replayed { user, .. }) = self.users.get_mut(&id)
        {
            user.username = None;
            let TelegramUser { last_seen, profile_seen, updated_at, reachability, .. } = *user;
            let is_as_before = *user
                == TelegramUser {
                    last_seen,
                    profile_seen,
                    updated_at,
                    reachability,
                    ..before.clone()
                };
            if is_as_before {
                user.updated_at = before.updated_at;
            }
        }
    }

    /// Notes what of a user's profile is no longer as it was. Of somebody of whom nothing was known,
    /// nothing changed.
    fn note_changes(&mut self, before: &TelegramUser, at: DateTime<Utc>) {
        let text = |user, field: ProfileField| {
            field.of(user).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let is_unknown = ProfileField::ALL.into_iter().all(|field| text(before, field).is_none());
        let Some(Replayed { user, .. }) = self.users.get(&before.telegram_id) else { return };
        if is_unknown {
            return;
        }
        for field in ProfileField::ALL {
            let (old, new) = (text(before, field), text(user, field));
            if old != new {
                let key = (before.telegram_id, at, field);
                note_change(&mut self.profile_changes, key, old, new);
            }
        }
    }

    /// Those whose names are not in the search as they are now, sorted.
    pub(super) fn other_names(&self) -> Vec<i64> {
        let is_other = |Replayed { user, stored, created, .. }: &&Replayed| {
            *created
                || user.first_name != stored.first_name
                || user.last_name != stored.last_name
                || user.username != stored.username
        };
        let within = self.users.values().filter(is_other).map(|it| it.user.telegram_id.get());
        let mut ids: Vec<i64> = within.chain(self.losers.keys().map(|id| id.get())).collect();
        ids.sort_unstable();
        ids
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
    fn claim(
        &mut self,
        id: TelegramId,
        username: &Username,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> bool {
        let key = username.key();
        let holder = self.holders.get(&key).cloned();
        let lost = match holder {
            None => None,
            Some(Holder::Outside(_, _, seen)) if seen > at => return false,
            Some(Holder::Outside(loser, username, _)) => {
                self.losers.insert(loser, at);
                Some((loser, username))
            }
            Some(Holder::Within(holder)) => match self.users.get_mut(&holder) {
                Some(Replayed { user, .. }) if user.seen_for_certain(now) > at => return false,
                Some(Replayed { user, .. }) => {
                    user.updated_at = user.updated_at.max(at);
                    user.username.take().map(|username| (holder, username))
                }
                None => None,
            },
        };
        if let Some((loser, username)) = lost {
            let key = (loser, at, ProfileField::Username);
            note_change(&mut self.profile_changes, key, Some(username.as_str().to_owned()), None);
        }
        self.holders.insert(key, Holder::Within(id));
        true
    }
}

/// Notes a change, or adds it to one of the same moment.
fn note_change(
    changes: &mut BTreeMap<ChangeKey, OldAndNew>,
    key: ChangeKey,
    old: Option<String>,
    new: Option<String>,
) {
    match changes.entry(key) {
        btree_map::Entry::Vacant(entry) => {
            entry.insert((old, new));
        }
        btree_map::Entry::Occupied(mut entry) => {
            entry.get_mut().1 = new;
            if entry.get().0 == entry.get().1 {
                entry.remove();
            }
        }
    }
}
