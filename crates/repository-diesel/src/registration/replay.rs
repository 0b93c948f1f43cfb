//! Step 4: the interactions are replayed in memory by the rules of the domain, from the rows that the
//! upsert returned.

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map, hash_map::Entry};

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    ActiveDay, Hour, Interaction, LatestDay, ProfileField, ReachabilityChange, TelegramId,
    TelegramUser, UserEvent, UserEventKind, Username, seen_for_certain,
};

use super::{
    day_count::DayCount,
    names::{ChangeKey, OldAndNew, ProfileChanges},
    upserted::UpsertedUser,
    usernames::UsernameHolder,
};
use crate::{
    base::error::Failure,
    row::{hour::active_day, user::telegram_id},
};

/// The users of a batch while its interactions are replayed, one after the other.
#[derive(Default)]
pub(super) struct Replay {
    /// The users of the batch, after the interactions replayed so far.
    pub(super) users: HashMap<TelegramId, Replayed>,
    /// The holder of each username that the batch may claim, by the username's key.
    holders: HashMap<String, Holder>,
    /// Users outside the batch who lose their username, and when.
    pub(super) losers: BTreeMap<TelegramId, DateTime<Utc>>,
    /// Users that became unreachable, or reachable again.
    pub(super) reach_changes: Vec<(TelegramId, ReachabilityChange)>,
    /// How profiles of users changed that existed before.
    pub(super) profile_changes: ProfileChanges,
}

/// A user of the batch.
pub(super) struct Replayed {
    /// The user after the interactions replayed so far.
    pub(super) user: TelegramUser,
    /// The user as it is stored.
    pub(super) stored: TelegramUser,
    /// The number of the label that the user's source counts under.
    pub(super) source_label: Option<i32>,
    /// The user's latest day of activity after the batch.
    pub(super) latest: LatestDay,
    /// The latest day as its row has it.
    pub(super) stored_latest: LatestDay,
    /// The interactions of the batch on each day that is not the row's latest.
    pub(super) other_days: BTreeMap<NaiveDate, DayCount>,
    /// Those on the row's latest day.
    pub(super) on_stored_day: Option<DayCount>,
    /// Whether the batch created the user.
    pub(super) created: bool,
    /// Whether the sums count the user.
    pub(super) is_counted: bool,
}

impl Replayed {
    /// Whether the row needs an update.
    pub(super) fn has_changed(&self) -> bool {
        self.user != self.stored || self.latest != self.stored_latest
    }

    fn count_day(&mut self, interaction: &Interaction) {
        let day = interaction.at.date_naive();
        if day == self.stored_latest.day {
            self.on_stored_day = Some(DayCount::after(self.on_stored_day, interaction));
        } else {
            let before = self.other_days.get(&day).copied();
            self.other_days.insert(day, DayCount::after(before, interaction));
        }
    }

    /// The hour of the first interaction of the batch on the row's latest day.
    pub(super) fn hour_on_stored_day(&self) -> Option<Hour> {
        self.on_stored_day.map(|count| count.first_hour)
    }

    /// A user that the batch does not change.
    pub(super) fn unchanged(user: TelegramUser, source_label: Option<i32>) -> Self {
        let day = ActiveDay { day: user.active_day(), first_hour: None };
        let latest = LatestDay::first(day, 0);
        Self {
            user: user.clone(),
            stored: user,
            source_label,
            latest,
            stored_latest: latest,
            other_days: BTreeMap::new(),
            on_stored_day: None,
            created: false,
            is_counted: false,
        }
    }
}

/// The user who holds a username.
#[derive(Clone)]
enum Holder {
    /// A user of the batch.
    Within(TelegramId),
    /// Another user, with the username as it is stored, and the time when it was certainly seen.
    Outside(TelegramId, Username, DateTime<Utc>),
}

impl Replay {
    /// What happened to users that programs outside are notified of.
    pub(super) fn events(&self) -> impl Iterator<Item = UserEvent> {
        let created = self.users.values().filter(|replayed| replayed.created).map(|replayed| {
            let TelegramUser { telegram_id, created_at: at, .. } = replayed.user;
            UserEvent { telegram_id, at, kind: UserEventKind::Created }
        });
        let changed = self.reach_changes.iter().filter_map(|&(telegram_id, change)| {
            let kind = UserEventKind::of(&change)?;
            Some(UserEvent { telegram_id, at: change.at, kind })
        });
        created.chain(changed)
    }

    /// Adds a user of the batch by its row after the upsert, which does not move the row's latest
    /// day.
    pub(super) fn add(&mut self, row: UpsertedUser) -> Result<(), Failure> {
        let UpsertedUser {
            user,
            previous_seen,
            first_hour,
            day_interactions,
            days_of_month,
            active_days,
            is_counted,
        } = row;
        let (source_label, stored) = (user.source_label, user.into_user()?);
        let previous_seen = previous_seen.map(DateTime::from);
        let user = match previous_seen {
            Some(last_seen) => TelegramUser { last_seen, ..stored.clone() },
            // New row: the first replayed interaction fills in the profile.
            None => TelegramUser {
                source: stored.source.clone(),
                ..TelegramUser::new(stored.telegram_id, stored.created_at)
            },
        };
        let day = previous_seen.unwrap_or(stored.last_seen).date_naive();
        let latest = LatestDay {
            day,
            first_hour: active_day(day, first_hour).first_hour,
            interactions: day_interactions,
            days_of_month: u32::try_from(days_of_month).unwrap_or_default(),
            days_ever: u32::try_from(active_days).unwrap_or_default(),
        };
        let replayed = Replayed {
            user,
            stored,
            source_label,
            latest,
            stored_latest: latest,
            other_days: BTreeMap::new(),
            on_stored_day: None,
            created: previous_seen.is_none(),
            is_counted,
        };
        self.users.insert(replayed.stored.telegram_id, replayed);
        Ok(())
    }

    /// Whether the sums count a user.
    pub(super) fn is_counted(&self, id: TelegramId) -> bool {
        self.users.get(&id).is_some_and(|replayed| replayed.is_counted)
    }

    /// The keys of the usernames that may change hands: those that users of the batch show and do not
    /// hold already. Usually few, and sorted.
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

    /// Adds the users who hold contested usernames. Users of the batch among them are known already,
    /// as they were before it.
    pub(super) fn add_holders(
        &mut self,
        contested: &BTreeSet<String>,
        holders: Vec<UsernameHolder>,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        for Replayed { user, .. } in self.users.values() {
            if let Some(key) = user.username.as_ref().map(Username::key)
                && contested.contains(&key)
            {
                self.holders.insert(key, Holder::Within(user.telegram_id));
            }
        }
        for holder in holders {
            let id = telegram_id("telegram_users", holder.telegram_id)?;
            let seen = seen_for_certain(holder.last_seen(), holder.profile_seen(), now);
            if let Some(username) = Username::from_telegram(holder.username())
                && !self.users.contains_key(&id)
            {
                self.holders.insert(username.key(), Holder::Outside(id, username, seen));
            }
        }
        Ok(())
    }

    /// Who of the batch holds each of these names.
    pub(super) fn owners<'a>(
        &self,
        keys: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = (&'a str, i64)> {
        keys.iter().filter_map(|key| match self.holders.get(key) {
            Some(Holder::Within(id)) => Some((key.as_str(), id.get())),
            _ => None,
        })
    }

    /// Replays one interaction: the rules of registration for its user, and those of usernames for
    /// all users.
    pub(super) fn observe(&mut self, interaction: &Interaction, now: DateTime<Utc>) {
        let id = interaction.telegram_id();
        let Some(replayed) = self.users.get_mut(&id) else { return };
        replayed.count_day(interaction);
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

    /// Gives a user the username that it shows now, unless another user has a better claim.
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

    /// Notes the parts of a user's profile that changed; none if nothing was known before.
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
                let key = ChangeKey { user: before.telegram_id, at, field };
                note_change(&mut self.profile_changes, key, old, new);
            }
        }
    }

    /// Users whose names are not in the search as they are now, sorted.
    pub(super) fn renamed(&self) -> Vec<i64> {
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

    /// Of two users who show one username, the one seen later keeps it; at the same time, the new one.
    /// Returns whether the claim holds, and then takes the username from the other user.
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
            let key = ChangeKey { user: loser, at, field: ProfileField::Username };
            note_change(&mut self.profile_changes, key, Some(username.as_str().to_owned()), None);
        }
        self.holders.insert(key, Holder::Within(id));
        true
    }
}

/// Notes a change, or merges it with one of the same time.
fn note_change(
    changes: &mut ProfileChanges,
    key: ChangeKey,
    old: Option<String>,
    new: Option<String>,
) {
    match changes.entry(key) {
        btree_map::Entry::Vacant(entry) => {
            entry.insert(OldAndNew { old, new });
        }
        btree_map::Entry::Occupied(mut entry) => {
            entry.get_mut().new = new;
            if entry.get().old == entry.get().new {
                entry.remove();
            }
        }
    }
}
