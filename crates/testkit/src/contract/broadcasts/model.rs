//! Random sequences of operations on two broadcasts, beside a model that is simple enough to be right.
//! The recipients of the second one may have to wait for a time of their own clocks.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Arm, BroadcastContent, BroadcastPlan, DeliveryTimes, Experiment, OnUnknown, PauseReason,
    Percent, RecipientState, UnreachableReason, Variant, VariantTest, WinnerBy,
};
use rollcall_repository::{
    BroadcastChange, ChangedBroadcast, PreferencesRepository, Recipient, RecipientOutcome, Rest,
};
use tokio::task::block_in_place;

use super::store::{
    BroadcastStore, WithZones, at, create, id, ids, name, outcome, plan, rows, take, users,
};

/// The users are 1 to this.
const USERS: i64 = 9;
const HOUR: i64 = 3_600;
/// How long the broadcasts last, and the time over which the messages of a category are counted.
const LASTS: i64 = 60 * HOUR;
const WEEK: i64 = 7 * 24 * HOUR;
/// How long after the last message of the test part the winner is decided.
const AFTER: i64 = 4 * HOUR;

const ZONES: [Tz; 4] =
    [Tz::UTC, Tz::Pacific__Kiritimati, Tz::Asia__Kolkata, Tz::America__Los_Angeles];

/// An operation; `0` and `1` are the broadcasts.
#[derive(Clone, Debug)]
enum Operation {
    /// Stores the next so many recipients, or the last ones again.
    Add {
        broadcast: usize,
        size: i64,
        repeats: bool,
    },
    /// Claims up to so many recipients after an id; 0 is the start.
    Claim {
        broadcast: usize,
        after: i64,
        limit: u32,
    },
    /// Gives these users an outcome, whether or not they are claimed.
    Settle {
        broadcast: usize,
        users: Vec<i64>,
        state: RecipientState,
    },
    Recover {
        broadcast: usize,
        are_unsent: bool,
    },
    /// The owner, or the sender, pauses a broadcast.
    Pause {
        broadcast: usize,
        is_owner: bool,
    },
    Resume {
        broadcast: usize,
    },
    Cancel {
        broadcast: usize,
    },
    Finish {
        broadcast: usize,
    },
    /// The sender decides the winner if it can.
    Decide {
        broadcast: usize,
    },
    /// The owner picks the winner.
    Pick {
        broadcast: usize,
        winner: Variant,
    },
    Erase {
        user: i64,
    },
    Register {
        user: i64,
    },
    OptOut {
        user: i64,
        is_out: bool,
    },
    Block {
        user: i64,
    },
    /// A user chooses a time zone.
    Move {
        user: i64,
        zone: Tz,
    },
    Wait {
        hours: i64,
    },
    /// The other process takes the lease.
    TakeOver,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let broadcast = || 0..2_usize;
    let user = || 1..=USERS;
    let state = prop_oneof![
        4 => Just(RecipientState::Sent),
        1 => Just(RecipientState::Failed),
        1 => Just(RecipientState::Unreachable),
        2 => Just(RecipientState::Queued),
    ];
    let operation = prop_oneof![
        6 => (broadcast(), 0..5_i64, any::<bool>())
            .prop_map(|(broadcast, size, repeats)| Operation::Add { broadcast, size, repeats }),
        6 => (broadcast(), 0..USERS, 0..6_u32)
            .prop_map(|(broadcast, after, limit)| Operation::Claim {
                broadcast,
                after: if after < 4 { 0 } else { after },
                limit,
            }),
        6 => (broadcast(), vec(user(), 0..6), state)
            .prop_map(|(broadcast, users, state)| Operation::Settle { broadcast, users, state }),
        2 => (broadcast(), any::<bool>())
            .prop_map(|(broadcast, are_unsent)| Operation::Recover { broadcast, are_unsent }),
        1 => (broadcast(), any::<bool>())
            .prop_map(|(broadcast, is_owner)| Operation::Pause { broadcast, is_owner }),
        2 => broadcast().prop_map(|broadcast| Operation::Resume { broadcast }),
        1 => (broadcast(), 0..4_u8).prop_map(|(broadcast, n)| match n {
            0 => Operation::Cancel { broadcast },
            _ => Operation::Finish { broadcast },
        }),
        2 => broadcast().prop_map(|broadcast| Operation::Decide { broadcast }),
        1 => (broadcast(), select(&Variant::ALL[..3]))
            .prop_map(|(broadcast, winner)| Operation::Pick { broadcast, winner }),
        1 => user().prop_map(|user| Operation::Erase { user }),
        1 => user().prop_map(|user| Operation::Register { user }),
        1 => (user(), any::<bool>()).prop_map(|(user, is_out)| Operation::OptOut { user, is_out }),
        1 => user().prop_map(|user| Operation::Block { user }),
        1 => (user(), select(&ZONES[..])).prop_map(|(user, zone)| Operation::Move { user, zone }),
        1 => (0..40_i64).prop_map(|hours| Operation::Wait { hours }),
        1 => Just(Operation::TakeOver),
    ];
    vec(operation, 1..60)
}

#[derive(Debug, Default)]
struct User {
    is_blocked: bool,
    is_out: bool,
    zone: Option<Tz>,
}

/// State, reason, and the second at which it got the state.
type Row = (RecipientState, &'static str, Option<i64>);

#[derive(Debug)]
struct Broadcast {
    id: i64,
    state: &'static str,
    on_unknown: OnUnknown,
    is_prepared: bool,
    /// The last id whose recipients were stored, and that before the latest part.
    position: i64,
    before: i64,
    rows: BTreeMap<i64, Row>,
    times: DeliveryTimes,
    experiment: Experiment,
    /// The second at which a recipient that waits is due.
    due: BTreeMap<i64, i64>,
    /// What became of recipients that were erased.
    erased: Vec<(RecipientState, &'static str)>,
    /// Up to here, recipients are not looked at again.
    settled_to: i64,
    /// The arms of those whose message went out, and of erased ones.
    arms: BTreeMap<i64, String>,
    erased_arms: Vec<(String, RecipientState)>,
    tested_at: Option<i64>,
    pick: Option<Variant>,
    winner: Option<Variant>,
}

impl Broadcast {
    /// Those with an outcome wait no more.
    fn forget_due(&mut self) {
        self.due.retain(|n, _| is_open(&self.rows[n]));
        self.arms.retain(|n, _| self.rows[n].0 != RecipientState::Queued);
    }

    fn is_testing(&self) -> bool {
        self.experiment.test.is_some() && self.winner.is_none()
    }

    /// Whether a recipient waits for the winner.
    fn waits(&self, n: i64) -> bool {
        self.is_testing() && self.experiment.arm(self.id, id(n), false).is_none()
    }

    /// How many of each arm have each state.
    fn arm_sums(&self) -> BTreeMap<(Arm, RecipientState), u64> {
        let mut sums = BTreeMap::new();
        let known = self.arms.iter().map(|(n, arm)| (arm, self.rows[n].0));
        for (arm, state) in known.chain(self.erased_arms.iter().map(|(arm, state)| (arm, *state))) {
            *sums.entry((Arm::from_name(arm).unwrap(), state)).or_default() += 1;
        }
        sums
    }

    /// The first queued recipients that wait for a time, with that time.
    fn waiting(&self) -> Vec<(i64, i64)> {
        let queued = self.due.iter().filter(|(n, _)| self.rows[n].0 == RecipientState::Queued);
        let mut waiting: Vec<(i64, i64)> = queued.map(|(n, due)| (*due, *n)).collect();
        waiting.sort_unstable();
        waiting
    }

    /// Decides in the model. Returns when it is to be tried again.
    fn expect_decision(&mut self, now: i64) -> Option<i64> {
        if self.state != "sending" || !self.is_testing() {
            return None;
        }
        if self.rows.values().any(|row| row.0 == RecipientState::Claimed) {
            return Some(now + 1);
        }
        if self.pick.is_none() && now < self.expires() {
            let is_untested = |(n, row): (&i64, &Row)| {
                let is_next = *n > self.settled_to && !self.due.contains_key(n);
                row.0 == RecipientState::Queued && is_next && !self.waits(*n)
            };
            if self.rows.iter().any(is_untested) {
                return Some(now);
            }
            if let Some((due, _)) = self.waiting().first() {
                return Some(*due);
            }
            let decides = *self.tested_at.get_or_insert(now) + AFTER;
            if decides > now {
                return Some(decides.min(self.expires()));
            }
        }
        // Nobody presses a button.
        self.winner = Some(self.pick.unwrap_or_default());
        self.settled_to = 0;
        None
    }

    fn is_held_out(&self, n: i64) -> bool {
        self.experiment.is_held_out(self.id, id(n))
    }

    /// The second at which it expires.
    fn expires(&self) -> i64 {
        let last = self.times.span().map(|(_, last)| second(last));
        last.unwrap_or_default().max(0) + LASTS
    }
}

struct World {
    stores: [Arc<dyn BroadcastStore>; 2],
    preferences: Arc<dyn PreferencesRepository>,
    holder: String,
    turn: usize,
    now: i64,
    users: BTreeMap<i64, User>,
    broadcasts: [Broadcast; 2],
}

fn is_open(row: &Row) -> bool {
    matches!(row.0, RecipientState::Queued | RecipientState::Claimed)
}

impl World {
    /// Two started broadcasts of one category with a cap, and no recipient yet.
    async fn new(
        stores: [Arc<dyn BroadcastStore>; 2],
        preferences: Arc<dyn PreferencesRepository>,
        (times, experiment): (DeliveryTimes, Experiment),
        round: usize,
    ) -> Self {
        let store = stores[0].clone();
        let category = format!("category-{round}");
        store.add_category(&name(&category), Some(1), None, at(0)).await.unwrap();
        store.delete(&ids(&(1..=USERS).collect::<Vec<_>>())).await.unwrap();
        users(&*store, 1..=USERS);
        let holder = format!("{round}-0");
        take(&*store, &holder).await;
        let begin = async |on_unknown, times| {
            let lasts = TimeDelta::seconds(LASTS);
            let experiment = experiment.clone();
            let plan = BroadcastPlan {
                on_unknown,
                lasts,
                times,
                experiment: experiment.clone(),
                ..plan(&category)
            };
            let id = create(&*store, &plan).await.id;
            store.change_broadcast(id, BroadcastChange::Start, None, at(0)).await.unwrap();
            Broadcast {
                id,
                state: "preparing",
                on_unknown,
                is_prepared: false,
                position: 0,
                before: 0,
                rows: BTreeMap::new(),
                times,
                experiment,
                due: BTreeMap::new(),
                erased: Vec::new(),
                settled_to: 0,
                arms: BTreeMap::new(),
                erased_arms: Vec::new(),
                tested_at: None,
                pick: None,
                winner: None,
            }
        };
        let plain = begin(OnUnknown::Skip, DeliveryTimes::default()).await;
        let broadcasts = [plain, begin(OnUnknown::Resend, times).await];
        let users = (1..=USERS).map(|n| (n, User::default())).collect();
        Self { stores, preferences, holder, turn: 0, now: 1, users, broadcasts }
    }

    fn category(&self) -> String {
        format!("category-{}", self.holder.split('-').next().unwrap())
    }

    async fn run(&mut self, operation: &Operation) {
        let store = self.stores[self.turn % 2].clone();
        let (holder, now) = (self.holder.clone(), self.now);
        match *operation {
            Operation::Add { broadcast, size, repeats } => {
                let its = &mut self.broadcasts[broadcast];
                let from = if repeats { its.before } else { its.position };
                let to = if repeats { its.position } else { (from + size).min(USERS) };
                let last = (to < USERS || repeats).then(|| id(to.max(1)));
                let part = ids(&(from + 1..=to).collect::<Vec<_>>());
                let added = store.add_recipients(&holder, its.id, &part, last, at(now));
                let is_preparing = added.await.unwrap().unwrap().is_preparing;
                let was_preparing = its.state == "preparing";
                assert_eq!(is_preparing, was_preparing && last.is_some());
                if was_preparing {
                    let part = part.iter().map(|it| it.get());
                    for n in part.filter(|n| self.users.contains_key(n)) {
                        its.rows.entry(n).or_insert((RecipientState::Queued, "", None));
                    }
                    (its.before, its.position) = (from, to);
                    if last.is_none() {
                        (its.state, its.is_prepared) = ("sending", true);
                    }
                }
            }
            Operation::Claim { broadcast, after, limit } => {
                let expected = self.expect_claim(broadcast, after, limit);
                let its = &self.broadcasts[broadcast];
                let after = (after > 0).then(|| id(after));
                let claim = store.claim_recipients(&holder, its.id, after, limit, at(now));
                let claim = claim.await.unwrap().unwrap();
                assert_eq!(claim.is_sending, its.state == "sending");
                let claimed: Vec<_> = claim.users.iter().map(|it| it.telegram_id.get()).collect();
                let last = claim.last.map(|it| it.get());
                let waited = claim.waited.iter().map(|it| it.get()).collect();
                assert_eq!((claimed, waited, last, claim.rest), expected);
            }
            Operation::Settle { broadcast, ref users, state } => {
                let its = &mut self.broadcasts[broadcast];
                let settled = |n: &i64| RecipientOutcome { at: at(now), ..outcome(*n, state) };
                let outcomes: Vec<_> = users.iter().map(settled).collect();
                for n in users {
                    if let Some(row) = its.rows.get_mut(n)
                        && row.0 == RecipientState::Claimed
                    {
                        let reason = if state == RecipientState::Failed { "too_long" } else { "" };
                        *row = (state, reason, (state != RecipientState::Queued).then_some(now));
                    }
                }
                its.forget_due();
                let mut open =
                    its.rows.iter().filter(|(n, _)| !its.due.contains_key(n) && !its.waits(**n));
                let open = open.find(|(_, row)| is_open(row)).map(|(n, _)| n - 1);
                let settled_to = open.unwrap_or(USERS);
                let settled_to = (its.is_prepared && settled_to > 0).then(|| id(settled_to));
                its.settled_to = its.settled_to.max(settled_to.map_or(0, |it| it.get()));
                let settled = store.settle_recipients(&holder, its.id, &outcomes, settled_to);
                assert_eq!(settled.await.unwrap(), Some(()));
            }
            Operation::Recover { broadcast, are_unsent } => {
                let its = &mut self.broadcasts[broadcast];
                let recovered = store.recover_recipients(&holder, its.id, are_unsent, at(now));
                let recovered = recovered.await.unwrap().unwrap();
                let resends = its.on_unknown == OnUnknown::Resend && its.state != "cancelled";
                let new = match are_unsent || resends {
                    true => (RecipientState::Queued, "", None),
                    false => (RecipientState::Unknown, "", Some(now)),
                };
                let claimed = its.rows.values_mut().filter(|it| it.0 == RecipientState::Claimed);
                let expected = claimed.map(|row| *row = new).count();
                its.forget_due();
                assert_eq!(recovered, u64::try_from(expected).unwrap());
            }
            Operation::Pause { broadcast, is_owner } => {
                let its = &mut self.broadcasts[broadcast];
                let is_active = matches!(its.state, "preparing" | "sending");
                if is_owner {
                    let is_changed = changed(&*store, its.id, BroadcastChange::Pause, now).await;
                    assert_eq!(is_changed, is_active);
                } else {
                    let reason = PauseReason::Safety;
                    store.pause_broadcast(&holder, its.id, reason).await.unwrap().unwrap();
                }
                if is_active {
                    its.state = "paused";
                }
            }
            Operation::Resume { broadcast } => {
                let its = &mut self.broadcasts[broadcast];
                let is_changed = changed(&*store, its.id, BroadcastChange::Resume, now).await;
                assert_eq!(is_changed, its.state == "paused");
                if is_changed {
                    its.state = if its.is_prepared { "sending" } else { "preparing" };
                }
            }
            Operation::Cancel { broadcast } => {
                let its = &mut self.broadcasts[broadcast];
                let is_changed = changed(&*store, its.id, BroadcastChange::Cancel, now).await;
                assert_eq!(is_changed, !matches!(its.state, "cancelled" | "finished"));
                if is_changed {
                    its.state = "cancelled";
                }
            }
            Operation::Finish { broadcast } => {
                let its = &mut self.broadcasts[broadcast];
                let finished = store.finish_broadcast(&holder, its.id, at(now)).await.unwrap();
                let may_finish = its.state == "sending" && !its.rows.values().any(is_open);
                assert_eq!(finished, Some(may_finish));
                if may_finish {
                    its.state = "finished";
                }
            }
            Operation::Decide { broadcast } => {
                let its = &mut self.broadcasts[broadcast];
                let expected = its.expect_decision(now).map(at);
                let decided = store.decide_winner(&holder, its.id, at(now)).await.unwrap();
                assert_eq!(decided, Some(expected));
            }
            Operation::Pick { broadcast, winner } => {
                let its = &mut self.broadcasts[broadcast];
                let picked = store.pick_winner(its.id, winner, None, at(now)).await.unwrap();
                let is_open = !matches!(its.state, "cancelled" | "finished");
                let may_pick =
                    its.is_testing() && is_open && its.experiment.variants().any(|it| it == winner);
                assert_eq!(matches!(picked, ChangedBroadcast::Changed(_)), may_pick);
                if may_pick {
                    its.pick = Some(winner);
                }
            }
            Operation::Erase { user } => {
                store.delete(&[id(user)]).await.unwrap();
                self.users.remove(&user);
                for its in &mut self.broadcasts {
                    its.due.remove(&user);
                    if let Some(row) = its.rows.remove(&user) {
                        let skipped = (RecipientState::Skipped, "erased");
                        its.erased.push(if is_open(&row) { skipped } else { (row.0, row.1) });
                        if let Some(arm) = its.arms.remove(&user) {
                            let state = if is_open(&row) { skipped.0 } else { row.0 };
                            its.erased_arms.push((arm, state));
                        }
                    }
                }
            }
            Operation::Register { user } => {
                self.users.entry(user).or_insert_with(|| {
                    users(&*store, [user]);
                    User::default()
                });
            }
            Operation::OptOut { user, is_out } => {
                let category = name(&self.category());
                let known = self.users.get_mut(&user);
                let set = store.set_opt_out(id(user), &category, is_out, at(now)).await.unwrap();
                assert_eq!(set, known.is_some());
                if let Some(known) = known {
                    known.is_out = is_out;
                }
            }
            Operation::Block { user } => {
                let blocked = UnreachableReason::Blocked;
                store.mark_unreachable(id(user), blocked, at(now), at(now)).await.unwrap();
                if let Some(known) = self.users.get_mut(&user) {
                    known.is_blocked = true;
                }
            }
            Operation::Move { user, zone } => {
                let moved = self.preferences.set_time_zone(id(user), Some(zone)).await.unwrap();
                assert_eq!(moved, self.users.contains_key(&user));
                if let Some(known) = self.users.get_mut(&user) {
                    known.zone = Some(zone);
                }
            }
            Operation::Wait { hours } => self.now += hours * HOUR,
            Operation::TakeOver => {
                self.turn += 1;
                let round = self.holder.split('-').next().unwrap();
                self.holder = format!("{round}-{}", self.turn);
                take(&*self.stores[self.turn % 2], &self.holder).await;
                let former =
                    store.claim_recipients(&holder, self.broadcasts[0].id, None, 9, at(now));
                assert_eq!(former.await.unwrap(), None);
            }
        }
    }

    /// Claims in the model. Returns the users, those of them that have waited, the last one that was
    /// looked at in the order of ids, and what is left.
    fn expect_claim(
        &mut self,
        broadcast: usize,
        after: i64,
        limit: u32,
    ) -> (Vec<i64>, Vec<i64>, Option<i64>, Rest) {
        let limit = usize::try_from(limit).unwrap();
        let its = &mut self.broadcasts[broadcast];
        let expires = its.expires();
        let is_plain = its.times.are_any() && !its.is_testing();
        let after = after.max(its.settled_to);
        if its.state != "sending" {
            return (Vec::new(), Vec::new(), None, Rest::Nothing);
        }
        let is_expired = self.now >= expires;
        if its.is_testing() && (its.pick.is_some() || is_expired) {
            return (Vec::new(), Vec::new(), None, Rest::Undecided);
        }
        let is_queued = |n: &i64| its.rows[n].0 == RecipientState::Queued;
        let waiting = its.waiting();
        let next = its.rows.keys().copied().filter(|n| *n > after && is_queued(n));
        let next: Vec<i64> = next.filter(|n| !its.due.contains_key(n)).collect();
        let is_due = |(due, _): &&(i64, i64)| *due <= self.now || is_expired;
        let due: Vec<i64> = waiting.iter().filter(is_due).map(|(_, n)| *n).collect();
        if due.is_empty() && next.is_empty() || is_plain && limit == 0 {
            let first = waiting.first().map(|(due, _)| Rest::Waits(at(*due.min(&expires))));
            let none = if its.is_testing() { Rest::Undecided } else { Rest::Nothing };
            return (Vec::new(), Vec::new(), None, first.unwrap_or(none));
        }
        let (mut queued, mut waited, mut last) = (Vec::new(), Vec::new(), None);
        let both = due.iter().map(|n| (*n, true)).chain(next.iter().map(|n| (*n, false)));
        for (n, has_waited) in both {
            if queued.len() == limit {
                break;
            }
            if !has_waited {
                last = Some(n);
            }
            if its.waits(n) {
                continue;
            }
            let zone = self.users[&n].zone.unwrap_or(Tz::UTC);
            let begins = second(its.times.due(zone, at(self.now)));
            if begins > self.now && !is_expired {
                its.due.insert(n, begins);
                continue;
            }
            queued.push(n);
            waited.extend(has_waited.then_some(n));
        }
        let had = [RecipientState::Sent, RecipientState::Claimed, RecipientState::Unknown];
        let (mut claimed, now) = (Vec::new(), self.now);
        for n in &queued {
            let user = &self.users[n];
            let has_one = self.broadcasts.iter().any(|it| {
                it.rows.get(n).is_some_and(|(state, _, at)| {
                    had.contains(state) && at.is_some_and(|at| at > now - WEEK)
                })
            });
            let (state, reason) = match () {
                () if is_expired => (RecipientState::Skipped, "expired"),
                () if user.is_out => (RecipientState::Skipped, "opted_out"),
                () if has_one => (RecipientState::Skipped, "capped"),
                () if user.is_blocked => (RecipientState::Unreachable, "blocked"),
                () if self.broadcasts[broadcast].is_held_out(*n) => {
                    (RecipientState::Skipped, "held_out")
                }
                () => (RecipientState::Claimed, ""),
            };
            claimed.extend((state == RecipientState::Claimed).then_some(*n));
            let its = &mut self.broadcasts[broadcast];
            its.rows.insert(*n, (state, reason, Some(now)));
            if state == RecipientState::Claimed && its.experiment.is_any() {
                let arm = its.experiment.arm(its.id, id(*n), its.winner.is_some());
                its.arms.insert(*n, arm.unwrap().name());
            }
        }
        self.broadcasts[broadcast].forget_due();
        waited.retain(|n| claimed.contains(n));
        waited.sort_unstable();
        (claimed, waited, last, Rest::More)
    }

    /// The store has what the model has, and the sums equal a recount.
    async fn check(&self) {
        let store = &self.stores[(self.turn + 1) % 2];
        let mut claimed = Vec::new();
        for its in &self.broadcasts {
            let known = store.broadcast(its.id).await.unwrap().unwrap();
            assert_eq!(known.state.name(), its.state);
            let rows = rows(&**store, its.id).await;
            let stored = |it: &Recipient| {
                let reason = it.reason.clone().unwrap_or_default();
                (it.telegram_id.get(), (it.state, reason, it.at, it.due_at))
            };
            let expected = its.rows.iter().map(|(n, (state, reason, second))| {
                let due = its.due.get(n).copied().map(at);
                (*n, (*state, (*reason).to_owned(), second.map(at), due))
            });
            let stored: BTreeMap<_, _> = rows.iter().map(stored).collect();
            assert_eq!(stored, expected.collect::<BTreeMap<_, _>>());
            let mut sums: BTreeMap<(RecipientState, String), u64> = BTreeMap::new();
            let all = its.rows.values().map(|(state, reason, _)| (*state, *reason));
            for (state, reason) in all.chain(its.erased.iter().copied()) {
                *sums.entry((state, reason.to_owned())).or_default() += 1;
            }
            assert_eq!(store.arm_sums(its.id).await.unwrap().0, its.arm_sums());
            let arms = rows.iter().filter_map(|it| Some((it.telegram_id.get(), it.arm?.name())));
            assert_eq!(arms.collect::<BTreeMap<_, _>>(), its.arms);
            assert_eq!(known.decision.map(|it| it.winner), its.winner);
            let stored = store.recipient_sums(&[its.id]).await.unwrap().remove(&its.id);
            assert_eq!(stored.unwrap_or_default().0, sums);
            if its.rows.values().any(|row| row.0 == RecipientState::Claimed) {
                claimed.push(its.id);
            }
        }
        assert_eq!(store.claimed_broadcasts().await.unwrap(), claimed);
    }

    /// Goes on until both broadcasts have ended, and leaves none claimed.
    async fn end(&mut self) {
        for broadcast in 0..2 {
            self.run(&Operation::Recover { broadcast, are_unsent: false }).await;
            self.run(&Operation::Resume { broadcast }).await;
            if self.broadcasts[broadcast].state == "preparing" {
                self.run(&Operation::Add { broadcast, size: USERS, repeats: false }).await;
            }
            while self.broadcasts[broadcast].state == "sending" {
                self.run(&Operation::Claim { broadcast, after: 0, limit: 2 }).await;
                let users = (1..=USERS).collect();
                let state = RecipientState::Sent;
                self.run(&Operation::Settle { broadcast, users, state }).await;
                self.run(&Operation::Decide { broadcast }).await;
                self.run(&Operation::Finish { broadcast }).await;
                self.run(&Operation::Wait { hours: 3 }).await;
            }
            self.check().await;
            let its = &self.broadcasts[broadcast];
            let is_left = |row: &Row| match its.state {
                "finished" => is_open(row),
                _ => row.0 == RecipientState::Claimed,
            };
            assert!(!its.rows.values().any(is_left), "{its:?}");
        }
    }
}

/// No times, a local time, quiet hours, or both.
fn times() -> impl Strategy<Value = DeliveryTimes> {
    (any::<bool>(), any::<bool>()).prop_map(|(has_time, is_quiet)| DeliveryTimes {
        local_time: has_time.then(|| at(30 * HOUR).naive_utc()),
        quiet_hours: is_quiet.then(|| "21:00-07:30".parse().unwrap()),
    })
}

/// Nothing, a part that is held out, variants, or a test of them.
fn experiment() -> impl Strategy<Value = Experiment> {
    let other = || BroadcastContent::Copy { from_chat_id: 1, message_id: 1, reply_markup: None };
    let test = VariantTest {
        part: Percent::new(40).unwrap(),
        by: WinnerBy::Presses,
        after: TimeDelta::seconds(AFTER),
    };
    (any::<bool>(), 0..3_usize, any::<bool>()).prop_map(move |(is_any, others, is_test)| {
        Experiment {
            hold_out: is_any.then(|| Percent::new(30).unwrap()),
            others: (0..others).map(|_| other()).collect(),
            test: (is_test && others > 0).then_some(test),
        }
    })
}

/// The second of a time.
fn second(time: DateTime<Utc>) -> i64 {
    (time - at(0)).num_seconds()
}

async fn changed(store: &dyn BroadcastStore, id: i64, change: BroadcastChange, now: i64) -> bool {
    let changed = store.change_broadcast(id, change, None, at(now)).await.unwrap();
    matches!(changed, ChangedBroadcast::Changed(_))
}

/// Whatever happens in whatever order: each recipient has the state that follows from it, the sums
/// equal a recount, and in the end each one has an outcome.
pub async fn recipients_agree_with_a_model([(store, preferences), (other, _)]: [WithZones; 2]) {
    let stores = [store, other];
    let round = AtomicUsize::new(0);
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config {
            failure_persistence: None,
            cases: 60,
            max_shrink_iters: 200,
            ..Config::default()
        };
        TestRunner::new_with_rng(config, rng)
            .run(&(times(), experiment(), operations()), |(times, experiment, operations)| {
                runtime.block_on(async {
                    let round = round.fetch_add(1, Ordering::Relaxed);
                    let (stores, preferences) = (stores.clone(), preferences.clone());
                    let mut world =
                        World::new(stores, preferences, (times, experiment), round).await;
                    for operation in &operations {
                        world.run(operation).await;
                        world.check().await;
                    }
                    world.end().await;
                });
                Ok(())
            })
            .unwrap();
    });
}
