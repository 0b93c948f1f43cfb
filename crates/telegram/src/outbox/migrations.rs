use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use crate::destination::Migration;

/// How many migrated groups are remembered. A forgotten one is learned again when Telegram refuses the
/// next message to it.
const REMEMBERED: usize = 1000;

/// The groups that became supergroups, with their new ids. Only in memory, because Telegram repeats
/// the new id in each refusal.
#[derive(Default)]
pub(super) struct Migrations(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The current id of each migrated chat. A chat that moved twice has its latest id here.
    moved: HashMap<i64, i64>,
    /// The keys of `moved`, oldest first.
    order: VecDeque<i64>,
}

impl Migrations {
    /// The current id of a chat.
    pub(super) fn current(&self, chat_id: i64) -> i64 {
        self.with(|known| known.current(chat_id))
    }

    /// Notes a migration. Returns whether it is possible: only groups migrate, and not in a circle.
    pub(super) fn learn(&self, migration: Migration) -> bool {
        let Migration { from, to } = migration;
        self.with(|known| {
            let to = known.current(to);
            let is_possible = from < 0 && to < 0 && from != to;
            if is_possible && known.current(from) != to {
                log::info!(from, to; "a group became a supergroup; its answers go there");
                known.learn(from, to);
            }
            is_possible
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        // No code panics while holding it.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    fn current(&self, chat_id: i64) -> i64 {
        self.moved.get(&chat_id).copied().unwrap_or(chat_id)
    }

    fn learn(&mut self, from: i64, to: i64) {
        for now in self.moved.values_mut().filter(|now| **now == from) {
            *now = to;
        }
        if self.moved.insert(from, to).is_none() {
            self.order.push_back(from);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.moved.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_where_it_moved_to_last() {
        let migrations = Migrations::default();
        assert_eq!(migrations.current(-5), -5);
        assert!(migrations.learn(Migration { from: -5, to: -1001 }));
        assert_eq!(migrations.current(-5), -1001);
        // The order in which migrations are learned does not matter.
        assert!(migrations.learn(Migration { from: -1001, to: -1002 }));
        assert!(migrations.learn(Migration { from: -4, to: -1001 }));
        assert_eq!([-4, -5, -1001, -1002].map(|id| migrations.current(id)), [-1002; 4]);
    }

    #[test]
    fn impossible_migrations_are_ignored() {
        let migrations = Migrations::default();
        // A message for a user never goes to a group, nor the other way round.
        for (from, to) in [(5, -1001), (-5, 1001), (-5, -5), (0, -5), (-5, 0)] {
            assert!(!migrations.learn(Migration { from, to }), "{from} to {to}");
            assert_eq!(migrations.current(from), from);
        }
        assert!(migrations.learn(Migration { from: -5, to: -1001 }));
        assert!(!migrations.learn(Migration { from: -1001, to: -5 }), "in a circle");
        assert_eq!([-5, -1001].map(|id| migrations.current(id)), [-1001; 2]);
    }

    #[test]
    fn the_number_of_remembered_groups_is_bounded() {
        let migrations = Migrations::default();
        for n in 1..=5000 {
            assert!(migrations.learn(Migration { from: -n, to: -10_000 - n }));
        }
        assert_eq!(migrations.with(|known| (known.moved.len(), known.order.len())), (1000, 1000));
        assert_eq!(migrations.current(-5000), -15_000);
        assert_eq!(migrations.current(-4001), -14_001);
        assert_eq!(migrations.current(-4000), -4000);
    }
}
