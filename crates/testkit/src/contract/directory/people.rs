//! Random demo users and filters, and which users match a filter.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    option,
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
};
use rollcall_domain::{
    ActiveDay, Days, Reachability, ReachabilityFilter, SearchTerm, SortKey, TelegramId,
    TelegramUser, UnreachableReason, UserFilter,
};
use rollcall_repository::History;

use super::store::{at, day, term};

/// A demo user.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: i64,
    pub(super) names: &'static Names,
    has_username: bool,
    pub(super) language: Option<&'static str>,
    pub(super) source: Option<&'static str>,
    pub(super) has_private_chat: bool,
    pub(super) obstacle: Option<UnreachableReason>,
    pub(super) is_bot: bool,
    /// The day of the first interaction.
    pub(super) first: i64,
    /// The second of the first interaction on that day.
    second: i64,
    /// The days of the other interactions, after the first one.
    later: BTreeSet<i64>,
    /// The deep links that the user opened, on the day of the first interaction.
    pub(super) starts: Vec<&'static str>,
    /// The hour at which the latest obstacle arose.
    blocked_hour: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Names {
    first: &'static str,
    last: &'static str,
    username: &'static str,
    /// The words by which the search finds the user.
    pub(super) words: &'static [&'static str],
}

const NAMES: [Names; 4] = [
    Names { first: "Анна", last: "Smith", username: "nick", words: &["анна", "smith"] },
    Names { first: "ZOË", last: "Ångström", username: "anna", words: &["zoe", "angstrom"] },
    Names { first: "Annabel Lee", last: "", username: "zed", words: &["annabel", "lee"] },
    Names { first: "Иван", last: "Жук", username: "vanya", words: &["иван", "жук"] },
];

pub(super) fn any_person() -> impl Strategy<Value = Person> {
    let names = prop_oneof![6 => Just(0_usize), 1 => Just(1), 1 => Just(2), 1 => Just(3)];
    let language = prop_oneof![8 => Just(Some("en")), 1 => Just(Some("de")), 1 => Just(None)];
    let source = prop_oneof![8 => Just(Some("ad")), 1 => Just(Some("friend")), 1 => Just(None)];
    let obstacle = prop_oneof![
        3 => Just(None),
        9 => Just(Some(UnreachableReason::Blocked)),
        1 => Just(Some(UnreachableReason::Deactivated)),
    ];
    let is_bot = prop_oneof![1 => Just(false), 6 => Just(true)];
    let first = prop_oneof![0..20_i64, 20..22_i64];
    let later = proptest::collection::btree_set(1..12_i64, 0..4);
    let starts = proptest::sample::subsequence(vec!["ad", "ad_2", "Ad", "friend"], 0..=2);
    let further = (starts, option::weighted(0.5, 0..24 * 30_i64));
    let chances = (any::<bool>(), prop_oneof![5 => Just(true), 1 => Just(false)], is_bot);
    // Few seconds, so that many times are equal.
    (names, language, source, obstacle, chances, first, 0..3_i64, later, further).prop_map(
        |(names, language, source, obstacle, chances, first, second, later, further)| {
            let (starts, blocked_hour) = further;
            let (has_username, has_private_chat, is_bot) = chances;
            Person {
                id: 0,
                names: &NAMES[names],
                has_username,
                language,
                source,
                has_private_chat,
                obstacle,
                is_bot,
                first,
                second,
                later,
                starts,
                blocked_hour,
            }
        },
    )
}

pub(super) fn any_filter() -> impl Strategy<Value = UserFilter> {
    let terms =
        ["anna", "an", "a", "ann smi", "нна", "zoe", "@nick", "@an", "жу", "lee ann", "qqq"];
    let reachability = [
        ReachabilityFilter::Reachable,
        ReachabilityFilter::Unreachable,
        ReachabilityFilter::Blocked,
    ];
    let days = || {
        option::weighted(0.3, (0..25_i64, 0..25_i64, 0..3)).prop_map(|range| match range {
            None => Days::default(),
            Some((a, b, 0)) => Days::between(day(a.min(b)), day(a.max(b))),
            Some((a, _, 1)) => Days { first: Some(day(a)), last: None },
            Some((_, b, _)) => Days { first: None, last: Some(day(b)) },
        })
    };
    let words = (
        option::weighted(0.3, select(vec!["en", "de", "", "xx"])),
        option::weighted(0.3, select(vec!["ad", "friend", "", "none"])),
        option::weighted(0.4, select(terms.to_vec())),
    );
    let days = (days(), days(), option::weighted(0.2, 0..4_u32), option::weighted(0.2, 1..5_u32));
    let kinds = (
        option::weighted(0.3, select(reachability.to_vec())),
        option::weighted(0.3, any::<bool>()),
    );
    (words, days, kinds).prop_map(|((language, source, search), days, (reachability, is_bot))| {
        let (first_seen, last_seen, min_active_days, max_active_days) = days;
        UserFilter {
            language: language.map(str::to_owned),
            source: source.map(str::to_owned),
            reachability,
            first_seen,
            last_seen,
            min_active_days,
            max_active_days,
            is_bot,
            search: search.map(term),
        }
    })
}

impl Person {
    pub(super) fn sample() -> Self {
        Self {
            id: 0,
            names: &NAMES[0],
            has_username: false,
            language: None,
            source: None,
            has_private_chat: true,
            obstacle: None,
            is_bot: false,
            first: 0,
            second: 0,
            later: BTreeSet::new(),
            starts: Vec::new(),
            blocked_hour: None,
        }
    }

    pub(super) fn numbered(self, n: i64) -> Self {
        Self { id: demo(n), ..self }
    }

    pub(super) fn blocked_at(&self) -> Option<DateTime<Utc>> {
        self.blocked_hour.map(|hour| at(hour * 3600))
    }

    pub(super) fn username(&self) -> Option<String> {
        self.has_username.then(|| format!("{}{}", self.names.username, self.id % 100_000))
    }

    pub(super) fn created_at(&self) -> DateTime<Utc> {
        at(self.first * 86_400 + self.second)
    }

    pub(super) fn last_seen(&self) -> DateTime<Utc> {
        self.created_at() + TimeDelta::days(self.later.last().copied().unwrap_or_default())
    }

    pub(super) fn active_days(&self) -> u32 {
        u32::try_from(self.later.len()).unwrap() + 1
    }

    pub(super) fn user(&self) -> TelegramUser {
        let mut user = TelegramUser::new(TelegramId::try_from(self.id).unwrap(), self.created_at());
        let Names { first, last, .. } = self.names;
        user.first_name = (*first).to_owned();
        user.last_name = (!last.is_empty()).then(|| (*last).to_owned());
        user.username = self.username().map(|username| username.parse().unwrap());
        user.language_code = self.language.map(str::to_owned);
        user.source = self.source.map(|payload| payload.parse().unwrap());
        user.is_bot = self.is_bot;
        user.last_seen = self.last_seen();
        user.reachability = Reachability {
            has_private_chat: self.has_private_chat,
            obstacle: self.obstacle,
            blocked_at: self.blocked_at(),
            ..Reachability::default()
        };
        user
    }

    pub(super) fn history(&self) -> History {
        let first = self.created_at().date_naive();
        let later = self.later.iter().map(|days| first + TimeDelta::days(*days));
        History {
            user: self.user(),
            days: [first]
                .into_iter()
                .chain(later)
                .map(|day| (ActiveDay { day, first_hour: None }, 1))
                .collect(),
            reach_changes: vec![],
            starts: self
                .starts
                .iter()
                .map(|payload| (self.created_at(), payload.parse().unwrap()))
                .collect(),
            uses: vec![],
        }
    }

    pub(super) fn place(&self, key: SortKey) -> (i64, i64) {
        let value = match key {
            SortKey::FirstSeen => self.created_at().timestamp(),
            SortKey::LastSeen => self.last_seen().timestamp() / 86_400,
            SortKey::ActiveDays => self.active_days().into(),
            SortKey::Id => 0,
        };
        (value, self.id)
    }

    pub(super) fn meets(&self, filter: &UserFilter) -> bool {
        let within = |at: DateTime<Utc>, days: Days| {
            let day = at.date_naive();
            days.first.is_none_or(|it| day >= it) && days.last.is_none_or(|it| day <= it)
        };
        let is_reachable = self.has_private_chat && self.obstacle.is_none();
        let is = |wanted: &Option<String>, actual: Option<&str>| {
            wanted.as_deref().is_none_or(|it| it == actual.unwrap_or_default())
        };
        is(&filter.language, self.language)
            && is(&filter.source, self.source)
            && filter.reachability.is_none_or(|it| match it {
                ReachabilityFilter::Reachable => is_reachable,
                ReachabilityFilter::Unreachable => !is_reachable,
                ReachabilityFilter::Blocked => self.obstacle == Some(UnreachableReason::Blocked),
            })
            && within(self.created_at(), filter.first_seen)
            && within(self.last_seen(), filter.last_seen)
            && filter.min_active_days.is_none_or(|it| self.active_days() >= it)
            && filter.max_active_days.is_none_or(|it| self.active_days() <= it)
            && filter.is_bot.is_none_or(|it| it == self.is_bot)
            && filter.search.as_ref().is_none_or(|term| self.matches(term))
    }

    pub(super) fn matches(&self, term: &SearchTerm) -> bool {
        let username = self.username().unwrap_or_default();
        let names = self.names.words;
        term.words().iter().all(|word| match word.strip_prefix('@') {
            Some(word) => self.has_username && username.starts_with(word),
            None if word.chars().count() < 3 => {
                names.iter().any(|name| name.starts_with(word)) || username.starts_with(word)
            }
            None => names.iter().any(|name| name.contains(word)) || username.contains(word),
        })
    }
}

/// The id of the nth demo user.
pub(super) fn demo(n: i64) -> i64 {
    History::REAL_IDS_END + n
}

/// The index of a demo user in their list.
pub(super) fn index(id: i64) -> usize {
    usize::try_from(id - History::REAL_IDS_END - 1).unwrap()
}
