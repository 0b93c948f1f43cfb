//! The filter language: a selection has the users that a naive reading of the filter selects.
#![expect(missing_docs, reason = "the name of each function states its rule")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, prop_oneof},
    sample::select,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rollcall_domain::{
    Counted, DayRange, Days, Filter, FilterNode, Interaction, InteractionKind, LabelKind,
    LabelName, NumberRange, Pattern, RecipientState, SearchTerm, Selection, SortKey, TelegramId,
    Term, UnreachableReason, UserLabel, UserSort,
};
use rollcall_repository::{CreatedLabel, LabelRepository};
use tokio::task::block_in_place;

use super::{
    people::{Person, any_person, demo},
    recipients,
    store::{DirectoryStore, NOW, Stores, at, index_all, register, sorts, text},
};

/// Enough that some filters match more users than are read one by one.
const MANY: usize = 3200;

/// Facts that are not in the history of a demo user.
#[derive(Default)]
struct Facts {
    notes: BTreeSet<i64>,
    tagged: BTreeSet<i64>,
    grouped: BTreeSet<i64>,
    /// The recipients of broadcast 1.
    recipients: BTreeMap<i64, RecipientState>,
    /// Those who pressed a button of it.
    pressed: BTreeSet<i64>,
    /// Those who opted out of categories.
    opted_out: BTreeMap<&'static str, BTreeSet<i64>>,
}

/// For any filter in any time zone: the list, the count and the ids are those of the users that a
/// predicate over plain facts selects.
pub async fn a_selection_has_the_users_that_a_naive_reading_selects([store, _]: Stores) {
    block_in_place(|| {
        let runtime = tokio::runtime::Handle::current();
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let config = Config { failure_persistence: None, cases: 96, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, rng);
        let people = vec(any_person(), MANY).new_tree(&mut runner).unwrap().current();
        let people: Vec<Person> = (1..).zip(people).map(|(n, it)| it.numbered(n)).collect();
        let mut facts = Facts::default();
        runtime.block_on(async {
            assert!(store.begin_demo().await.unwrap());
            store.load(people.iter().map(Person::history).collect()).await.unwrap();
            let vip = label(&*store, LabelKind::Tag, "vip").await;
            let testers = label(&*store, LabelKind::Group, "vip").await;
            for id in people.iter().map(|it| it.id) {
                let user = TelegramId::try_from(id).unwrap();
                if id % 97 == 0 {
                    facts.notes.insert(id);
                    store.set_note(user, "a note", "ada", at(0)).await.unwrap();
                }
                if id % 41 == 0 {
                    facts.tagged.insert(id);
                    store.label_user(&vip, user, true, None, at(0)).await.unwrap();
                }
                if id % 53 == 0 {
                    facts.grouped.insert(id);
                    store.label_user(&testers, user, true, None, at(0)).await.unwrap();
                }
            }
            facts.recipients = recipients::of_a_broadcast(&*store, &people).await;
            facts.pressed = recipients::pressing(&*store, &facts.recipients).await;
            facts.opted_out = recipients::opting_out(&*store, &people).await;
        });
        let zones = [Tz::UTC, Tz::UTC, Tz::Asia__Tokyo, Tz::America__New_York];
        runner
            .run(&(any_text(), select(zones.to_vec())), |(text, zone)| {
                let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
                let selection = Selection::new(&filter, &segments(), zone, at(NOW)).unwrap();
                let reading = Reading { filter: &filter, zone, facts: &facts };
                runtime.block_on(compare(&*store, &people, &selection, &reading));
                Ok(())
            })
            .unwrap();
    });
}

pub(super) async fn label(store: &dyn LabelRepository, kind: LabelKind, name: &str) -> UserLabel {
    match store.create_label(kind, &name.parse().unwrap(), "", None, at(0)).await.unwrap() {
        CreatedLabel::New(label) | CreatedLabel::Known(label) => label,
        other => panic!("{other:?}"),
    }
}

/// Saved segments that the filters may name.
fn segments() -> BTreeMap<LabelName, Filter> {
    let segment = |(name, text): (&str, &str)| (name.parse().unwrap(), text.parse().unwrap());
    [("english", "lang:en"), ("odd", "bot or -segment:english days>=2")].map(segment).into()
}

/// The text of a filter.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    let ids = format!("id:{},{},999", demo(1), demo(2000));
    let term = select(
        [
            "lang:en",
            "lang:EN,de",
            "lang:e*",
            "lang:*",
            "lang:xx",
            "source:ad",
            "source:ad,friend",
            "source:f*",
            "source:*",
            "source:AD",
            "started:ad",
            "started:ad*",
            "started:Ad,friend",
            "tag:vip",
            "tag:gone,vip",
            "group:vip",
            "group:gone",
            "segment:english",
            "segment:odd,english",
            "reachable",
            "blocked",
            "bot",
            "joined<7d",
            "joined>=7d",
            "joined<=2026-10-10",
            "joined:2026-10-03..2026-10-12",
            "joined>2026-10-20",
            "joined:2026-10-05",
            "seen<3d",
            "seen>10d",
            "seen:2026-10-15",
            "seen<=0d",
            "blocked_at<14d",
            "blocked_at<2026-10-10",
            "days>=3",
            "days:1",
            "days<2",
            "days:2..3",
            "days>4000000000",
            "has:note",
            "broadcast:1",
            "broadcast:1:failed,1:unknown",
            "broadcast:1:queued,2",
            "broadcast:2:sent,1:skipped,1:unreachable",
            "pressed:1",
            "pressed:1,2",
            "opted_out:promo",
            "opted_out:news,system",
            "capped:news",
            "capped:promo,news",
            "capped:promo",
            "name:anna",
            "name:\"lee ann\"",
            "name:nick",
            "@nick100001",
            "@NICK*",
            "@*",
            "random:30%:a",
            "random:50%:b",
            "anna",
            "an",
            "\"ann smi\"",
            "жу",
            "qqq",
            "\"@nick\"",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([ids])
        .collect::<Vec<_>>(),
    );
    term.prop_recursive(3, 8, 3, |part| {
        prop_oneof![
            3 => vec(part.clone(), 2..4).prop_map(|parts| parts.join(" ")),
            2 => vec(part.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            2 => part.clone().prop_map(|part| format!("-({part})")),
            1 => (part, Just("-bot")).prop_map(|(part, bot)| format!("{part} {bot}")),
        ]
    })
}

async fn compare(
    store: &dyn DirectoryStore,
    people: &[Person],
    selection: &Selection,
    reading: &Reading<'_>,
) {
    let what = format!("{} in {}", reading.filter, reading.zone);
    let expected: Vec<i64> =
        people.iter().filter(|person| reading.selects(person)).map(|it| it.id).collect();
    let number = u64::try_from(expected.len()).unwrap();

    let by_id = UserSort { key: SortKey::Id, descending: false };
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let slice = store.select(selection, by_id, cursor, 1000).await.unwrap();
        match slice.count {
            Counted::Exactly(count) => assert_eq!(count, number, "{what}"),
            Counted::MoreThan(count) => assert!(count < number, "{what}: more than {count}"),
            Counted::About(_) => {}
        }
        listed.extend(slice.rows.iter().map(|row| row.user.telegram_id.get()));
        cursor = slice.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, expected, "{what}");

    let counted = Arc::new(AtomicU64::new(0));
    let last = counted.clone();
    let progress = move |users, _| {
        last.store(users, Ordering::Relaxed);
        true
    };
    let count = store.count(selection, Arc::new(progress)).await.unwrap();
    assert_eq!(count, Some(number), "{what}");
    assert_eq!(counted.load(Ordering::Relaxed), number, "{what}: the last progress");

    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let part = store.matching(selection, after, 1500).await.unwrap();
        ids.extend(part.ids.into_iter().map(TelegramId::get));
        after = part.last;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(ids, expected, "{what}: ids");
}

pub async fn a_count_can_be_stopped([store, _]: Stores) {
    for text in ["", "used:/start", "-started:ads_*"] {
        let filter: Filter = text.parse().unwrap();
        let selection = Selection::new(&filter, &BTreeMap::new(), Tz::UTC, at(NOW)).unwrap();
        assert_eq!(store.count(&selection, Arc::new(|_, _| true)).await.unwrap(), Some(0));
        assert_eq!(store.count(&selection, Arc::new(|_, _| false)).await.unwrap(), None);
        let nothing = store.matching(&selection, None, 10).await.unwrap();
        assert_eq!((nothing.ids.len(), nothing.last), (0, None));
    }
}

/// A filter of the greatest length, with the most terms or the deepest parentheses.
pub async fn the_largest_filters_are_evaluated_or_refused([store, _]: Stores) {
    register(&*store, (1..=3).map(|n| text(n, n, "Ada"))).await;
    index_all(&*store).await;
    let nested = |depth, inner: &str| {
        (0..depth).fold(inner.to_owned(), |inner, n| format!("({inner} or -days:{n})"))
    };
    let ids: Vec<String> = (1..900).map(|n: u64| n.to_string()).collect();
    let alternating = "(days:1 (days:2 or ".repeat(25) + "days:3" + &"))".repeat(25);
    let filters = [
        ("lang:a ".repeat(200), true),
        ("tag:a or ".repeat(199) + "tag:a", true),
        ("used:/a<1d ".repeat(200), true),
        ("started:a* or ".repeat(199) + "started:a*", true),
        ("-random:1%:a ".repeat(200), true),
        ("ada ".repeat(200), true),
        ("\"a b\" or ".repeat(199) + "ada", true),
        (format!("id:{}", ids.join(",")), true),
        (format!("lang:{}", vec!["a*"; 800].join(",")), true),
        (format!("zone:{}", vec!["Asia/*"; 500].join(",")), true),
        (nested(49, "days:1"), true),
        (nested(48, "(days:1 lang:a)"), true),
        (nested(49, "ada"), true),
        (alternating, true),
        ("(ada or lang:a) ".repeat(100), false),
        (format!("lang:{}", vec!["a"; 1000].join(",")), false),
    ];
    for (text, is_evaluated) in filters {
        let what = text.get(..60).unwrap_or(&text);
        let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{what}: {error}"));
        let selection = Selection::new(&filter, &BTreeMap::new(), Tz::Asia__Tokyo, at(NOW));
        assert_eq!(selection.is_ok(), is_evaluated, "{what}: {:?}", selection.err());
        let Ok(selection) = selection else { continue };
        let count = store.count(&selection, Arc::new(|_, _| true)).await.unwrap();
        let ids = store.matching(&selection, None, 100).await.unwrap().ids;
        assert_eq!(count, u64::try_from(ids.len()).ok(), "{what}");
        for sort in sorts() {
            let slice = store.select(&selection, sort, None, 10).await.unwrap();
            assert_eq!(slice.rows.len(), ids.len(), "{what}");
        }
    }
}

/// By interactions with known commands and buttons, on days of their own.
pub async fn users_are_found_by_what_they_used([store, _]: Stores) {
    let used = |n: i64, day: i64, command: Option<&'static str>, button: Option<&'static str>| {
        use InteractionKind::{CallbackQuery, Command};
        let kind = if button.is_some() { CallbackQuery } else { Command };
        Interaction { kind, command, button, ..text(n, day * 86_400 + n, "Ada") }
    };
    let schedule = Some("schedule");
    let interactions = [
        used(1, 0, schedule, None),
        used(1, 3, schedule, None),
        used(1, 3, schedule, None),
        used(1, 24, schedule, None),
        used(2, 1, schedule, None),
        used(2, 2, None, Some("settings")),
        used(3, 25, None, Some("settings")),
        used(4, 25, Some("start"), None),
        used(5, 25, None, None),
    ];
    register(&*store, interactions).await;
    for (filter, ids) in [
        ("used:/schedule", vec![1, 2]),
        ("used:/Schedule>=3", vec![1]),
        ("used:/schedule:1", vec![2]),
        ("used:/schedule<7d", vec![1]),
        ("used:/schedule>=2026-10-02", vec![1, 2]),
        ("used:/schedule<=2026-10-02", vec![2]),
        ("used:settings", vec![2, 3]),
        ("used:settings,/start", vec![2, 3, 4]),
        ("-used:/schedule", vec![3, 4, 5]),
        ("used:/schedule used:settings", vec![2]),
        ("-used:/schedule<7d", vec![2, 3, 4, 5]),
        ("used:schedule", vec![]),
    ] {
        let filter: Filter = filter.parse().unwrap();
        let selection = Selection::new(&filter, &BTreeMap::new(), Tz::UTC, at(NOW)).unwrap();
        let found = store.matching(&selection, None, 100).await.unwrap().ids;
        let found: Vec<i64> = found.into_iter().map(TelegramId::get).collect();
        assert_eq!(found, ids, "{filter}");
    }
}

/// A filter that is read in the simplest way, from the facts of one user at a time.
struct Reading<'a> {
    filter: &'a Filter,
    zone: Tz,
    facts: &'a Facts,
}

impl Reading<'_> {
    fn selects(&self, person: &Person) -> bool {
        self.filter_selects(self.filter, person)
    }

    fn filter_selects(&self, filter: &Filter, person: &Person) -> bool {
        (filter.names_bots() || !person.is_bot) && self.meets(filter.node(), person)
    }

    fn meets(&self, node: &FilterNode, person: &Person) -> bool {
        match node {
            FilterNode::All(parts) => parts.iter().all(|part| self.meets(part, person)),
            FilterNode::Any(parts) => parts.iter().any(|part| self.meets(part, person)),
            FilterNode::Not(part) => !self.meets(part, person),
            FilterNode::Term(term) => self.meets_term(term, person),
        }
    }

    fn meets_term(&self, term: &Term, person: &Person) -> bool {
        let one_of = |patterns: &[Pattern], value: Option<&str>| {
            value.is_some_and(|value| patterns.iter().any(|pattern| fits(pattern, value)))
        };
        match term {
            Term::Language(patterns) => {
                let small = |it: &Pattern| Pattern { text: it.text.to_lowercase(), ..it.clone() };
                let patterns: Vec<Pattern> = patterns.iter().map(small).collect();
                one_of(&patterns, person.language.map(str::to_lowercase).as_deref())
            }
            Term::Source(patterns) => one_of(patterns, person.source),
            Term::Started(patterns) => {
                person.starts.iter().any(|payload| one_of(patterns, Some(payload)))
            }
            Term::Segment(names) => {
                names.iter().any(|name| self.filter_selects(&segments()[name], person))
            }
            Term::Reachable => person.has_private_chat && person.obstacle.is_none(),
            Term::Blocked => person.obstacle == Some(UnreachableReason::Blocked),
            Term::Bot => person.is_bot,
            Term::Day(field, range) => {
                use rollcall_domain::DayField::{BlockedAt, Joined, Seen};
                let at = match field {
                    Joined => Some(person.created_at()),
                    Seen => Some(person.last_seen()),
                    BlockedAt => person.blocked_at(),
                };
                at.is_some_and(|at| self.is_within(at, *range))
            }
            Term::ActiveDays(range) => is_between(person.active_days(), *range),
            Term::Tag(names) => is_vip(names) && self.facts.tagged.contains(&person.id),
            Term::Group(names) => is_vip(names) && self.facts.grouped.contains(&person.id),
            Term::Broadcast(all) => {
                let state = self.facts.recipients.get(&person.id);
                all.iter().any(|it| it.broadcast == 1 && Some(&it.state) == state)
            }
            Term::Pressed(all) => all.contains(&1) && self.facts.pressed.contains(&person.id),
            Term::OptedOut(names) => names.iter().any(|name| {
                let opted_out = self.facts.opted_out.get(name.as_str());
                opted_out.is_some_and(|ids| ids.contains(&person.id))
            }),
            // Only news have a cap, which is one message.
            Term::Capped(names) => {
                let state = self.facts.recipients.get(&person.id);
                let had = matches!(state, Some(RecipientState::Sent | RecipientState::Unknown));
                had && recipients::is_of_this_week(person.id)
                    && names.iter().any(|name| name.as_str() == "news")
            }
            Term::Note => self.facts.notes.contains(&person.id),
            Term::Name(term) => names_match(person, term),
            Term::Search(term) => person.matches(term),
            Term::Username(name) => person.username().is_some_and(|username| {
                let small = Pattern { text: name.text.to_lowercase(), ..name.clone() };
                fits(&small, &username.to_lowercase())
            }),
            Term::Id(ids) => ids.iter().any(|id| id.get() == person.id),
            Term::Random(share) => share.contains(TelegramId::try_from(person.id).unwrap()),
            other => panic!("no fact says whether a demo user meets {other}"),
        }
    }

    fn is_within(&self, at: DateTime<Utc>, range: DayRange) -> bool {
        let day = |at: DateTime<Utc>| self.zone.from_utc_datetime(&at.naive_utc()).date_naive();
        let today: NaiveDate = day(at_now());
        let Days { first, last } = range.days(today);
        let day = day(at);
        first.is_none_or(|first| first <= day) && last.is_none_or(|last| day <= last)
    }
}

/// Whether names have the only one that a label of the users has.
fn is_vip(names: &[LabelName]) -> bool {
    names.iter().any(|name| name.as_str() == "vip")
}

fn at_now() -> DateTime<Utc> {
    at(NOW)
}

fn fits(pattern: &Pattern, value: &str) -> bool {
    let beginning: String = value.chars().take(pattern.text.chars().count()).collect();
    if pattern.is_beginning { beginning == pattern.text } else { value == pattern.text }
}

fn is_between(number: u32, range: NumberRange) -> bool {
    number >= range.least && number <= range.greatest
}

/// Whether each word of a term is in the first and last name: anywhere, or at the beginning of a
/// word if it is shorter than three letters.
fn names_match(person: &Person, term: &SearchTerm) -> bool {
    let names = person.names.words;
    term.words().iter().all(|word| match word.chars().count() {
        0..3 => names.iter().any(|name| name.starts_with(word.as_str())),
        _ => names.iter().any(|name| name.contains(word.as_str())),
    })
}
