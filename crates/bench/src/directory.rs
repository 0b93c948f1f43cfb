//! How long the pages of the web admin's list of users take, and a page about one of them, in a
//! database of many users, which `manage demo-data` fills; and what the search costs registration.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use chrono::Days as Span;
use rollcall_domain::{
    Clock, Days, Profile, ReachabilityFilter, SearchTerm, SortKey, SystemClock, TelegramId,
    UserFilter, UserSort,
};
use rollcall_repository_diesel::{Database, DieselUserRepository};
use rollcall_service::{DirectoryService, UserService};
use rollcall_testkit::ThrowAwayDatabase;

use crate::{
    database::Databases,
    limit::{Beside, Limit},
    report::Pairs,
    statistics::{DAYS, manage, told, told_times},
    write::{CALLERS, PEOPLE},
};

/// How many users a page of the list has.
const PAGE: u32 = 50;
/// How many pages before the deep one.
const DEEP: usize = 200;

/// Measures in databases that it fills, or in one that is there; and registration in small ones.
pub(crate) async fn run(
    databases: &Databases,
    users: i64,
    there: Option<&str>,
    runs: usize,
    seconds: f64,
) -> Result<()> {
    if let Some(url) = there {
        println!("The list of users in {url}");
        return read(url).await;
    }
    registration(databases, runs, seconds).await?;
    for (name, database) in databases.of_each_kind() {
        println!("{name}: the list of {users} users");
        let users = users.to_string();
        let load = ["demo-data", "--users", &users, "--days", DAYS];
        told("demo-data", manage(database.url(), &load).await?);
        read(database.url()).await?;
    }
    Ok(())
}

/// A list, by what is asked for.
type Case = (&'static str, UserFilter, UserSort);

async fn read(url: &str) -> Result<()> {
    let storage = storage(url).await?;
    let new = || DirectoryService::new(storage.clone(), SystemClock);
    let directory = new();
    index_all(&directory).await?;
    let newest = directory.users(&UserFilter::new(), UserSort::default(), None, PAGE).await?;
    let somebody = newest.rows.first().context("a database with users")?.user.clone();
    for (what, filter, sort) in cases(&somebody.telegram_id.to_string()) {
        let list = || directory.users(&filter, sort, None, PAGE);
        let slice = list().await?;
        let what = format!("{what} [{}, {:?}]", slice.rows.len(), slice.count);
        told_times(&what, list).await?;
    }
    for (what, filter, sort) in deep_cases() {
        let mut cursor = None;
        for _ in 0..DEEP {
            cursor = directory.users(&filter, sort, cursor, PAGE).await?.next.or(cursor);
        }
        told_times(what, || directory.users(&filter, sort, cursor, PAGE)).await?;
    }
    told_times("a user", || directory.user(somebody.telegram_id)).await?;
    // A new service each time, for one keeps what it has read.
    told_times("languages", || async { new().languages().await }).await?;
    told_times("sources", || async { new().sources().await }).await?;
    println!();
    Ok(())
}

async fn storage(url: &str) -> Result<DieselUserRepository> {
    let database = Database::open(url.parse()?).await?;
    database.migrate().await?;
    Ok(DieselUserRepository::new(database))
}

/// Takes those into the search who are not there yet.
async fn index_all(directory: &DirectoryService) -> Result<()> {
    let begun = Instant::now();
    while directory.index_names().await? {}
    println!("  names taken into the search in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn sort(key: SortKey, descending: bool) -> UserSort {
    UserSort { key, descending }
}

fn last_days(count: u64) -> Days {
    let today = SystemClock.now().date_naive();
    Days::between(today - Span::new(count - 1), today)
}

fn cases(id: &str) -> Vec<Case> {
    let all = UserFilter::new;
    let newest = UserSort::default();
    let term = |text: &str| all().matching(SearchTerm::new(text).expect("a term"));
    let by_last_seen = sort(SortKey::LastSeen, true);
    vec![
        ("first seen", all(), newest),
        ("first seen, oldest first", all(), sort(SortKey::FirstSeen, false)),
        ("last seen", all(), by_last_seen),
        ("active days", all(), sort(SortKey::ActiveDays, true)),
        ("id", all(), sort(SortKey::Id, true)),
        ("language: frequent", all().with_language("ru"), newest),
        ("language: frequent, last seen", all().with_language("ru"), by_last_seen),
        ("language: rare", all().with_language("he"), newest),
        ("language: rare, last seen", all().with_language("he"), by_last_seen),
        ("language: nobody", all().with_language("xx"), newest),
        ("source: frequent", all().with_source("friend"), newest),
        (
            "source: frequent, active days",
            all().with_source("friend"),
            sort(SortKey::ActiveDays, true),
        ),
        ("source: none", all().with_source(""), newest),
        ("reachable", all().with_reachability(ReachabilityFilter::Reachable), newest),
        ("unreachable", all().with_reachability(ReachabilityFilter::Unreachable), newest),
        ("blocked", all().with_reachability(ReachabilityFilter::Blocked), newest),
        ("blocked, last seen", all().with_reachability(ReachabilityFilter::Blocked), by_last_seen),
        ("first seen: today", all().first_seen_on(last_days(1)), newest),
        ("first seen: 30 days", all().first_seen_on(last_days(30)), newest),
        ("first seen: 30 days, last seen", all().first_seen_on(last_days(30)), by_last_seen),
        ("last seen: today", all().last_seen_on(last_days(1)), newest),
        ("last seen: 7 days, first seen", all().last_seen_on(last_days(7)), newest),
        ("active days: 100 and more", all().active_on_at_least(100), newest),
        ("active days: 1", all().active_on_at_most(1), newest),
        ("bots", all().bots(true), newest),
        ("no bots", all().bots(false), newest),
        (
            "ru, friend, reachable, 7 days",
            all()
                .with_language("ru")
                .with_source("friend")
                .with_reachability(ReachabilityFilter::Reachable)
                .last_seen_on(last_days(7)),
            newest,
        ),
        (
            "de, blocked, first seen 90 days",
            all()
                .with_language("de")
                .with_reachability(ReachabilityFilter::Blocked)
                .first_seen_on(last_days(90)),
            sort(SortKey::ActiveDays, true),
        ),
        ("search: james", term("james"), newest),
        ("search: james, last seen", term("james"), by_last_seen),
        ("search: анна", term("анна"), newest),
        ("search: james smith", term("james smith"), newest),
        ("search: ja", term("ja"), newest),
        ("search: j", term("j"), newest),
        ("search: @james", term("@james"), newest),
        ("search: ami and son", term("ami son"), newest),
        ("search: nearly nobody", term("jürgen иван"), newest),
        ("search: nobody", term("qqzzxx"), newest),
        ("search: two letters, nobody", term("qz"), newest),
        ("search: id", term(id), newest),
        ("search: korean, middling", term("민준"), newest),
        (
            "search: james, blocked, de",
            term("james").with_reachability(ReachabilityFilter::Blocked).with_language("de"),
            newest,
        ),
    ]
}

fn deep_cases() -> Vec<Case> {
    let all = UserFilter::new;
    vec![
        ("200 pages deep", all(), UserSort::default()),
        ("200 pages deep, last seen", all(), sort(SortKey::LastSeen, true)),
        ("200 pages deep, ru", all().with_language("ru"), UserSort::default()),
    ]
}

/// Registration while names are taken into the search, against one that leaves no word of them.
async fn registration(databases: &Databases, runs: usize, seconds: f64) -> Result<()> {
    for ((name, without), (_, with)) in
        databases.of_each_kind().into_iter().zip(databases.of_each_kind())
    {
        let (without, with) = (Crowd::new(&without).await?, Crowd::new(&with).await?);
        without.forget_names()?;
        for crowd in [&without, &with] {
            crowd.call(seconds).await?;
        }
        let title = format!("{name}: registrations, 2% of new or other names: no search (limit)");
        let mut pairs = Pairs::new(title, "rows/s");
        for _ in 0..runs {
            let limit = without.call(seconds).await?;
            let stop = Arc::new(AtomicBool::new(false));
            let indexing = tokio::spawn(index_while(with.directory.clone(), stop.clone()));
            let ours = with.call(seconds).await?;
            stop.store(true, Relaxed);
            indexing.await??;
            pairs.add(limit, ours, String::new());
        }
        pairs.print();
    }
    Ok(())
}

/// As maintenance does it.
async fn index_while(directory: DirectoryService, stop: Arc<AtomicBool>) -> Result<()> {
    while !stop.load(Relaxed) {
        if !directory.index_names().await? {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// People who call, some of them for the first time, some by another name.
struct Crowd {
    url: String,
    users: UserService,
    directory: DirectoryService,
    /// How often each has taken another name.
    names: Arc<[AtomicU64]>,
    /// The id of who comes next.
    next: Arc<AtomicI64>,
}

impl Crowd {
    async fn new(database: &ThrowAwayDatabase) -> Result<Self> {
        let url = database.url().to_owned();
        let directory = DirectoryService::new(storage(&url).await?, SystemClock);
        let users = crate::database::service(&url).await?;
        let crowd = Self {
            url,
            users,
            directory,
            names: (0..PEOPLE).map(|_| AtomicU64::new(0)).collect(),
            next: Arc::new(AtomicI64::new(PEOPLE as i64)),
        };
        for n in 0..PEOPLE {
            crowd.users.get_or_create_user(&person(n as i64, 0)).await?;
        }
        index_all(&crowd.directory).await?;
        Ok(crowd)
    }

    /// Has the database drop the note that a name is to be taken into the search.
    fn forget_names(&self) -> Result<()> {
        match Limit::open(&self.url, 1, Beside::Nothing)? {
            Limit::Sqlite(limit) => limit.execute(
                "CREATE TRIGGER no_search BEFORE INSERT ON search_pending \
                 BEGIN SELECT RAISE(IGNORE); END",
            ),
            Limit::Postgres(limit) => limit.execute(
                "CREATE FUNCTION no_search() RETURNS trigger LANGUAGE plpgsql \
                 AS 'BEGIN RETURN NULL; END'; \
                 CREATE TRIGGER no_search BEFORE INSERT ON search_pending \
                 FOR EACH ROW EXECUTE FUNCTION no_search()",
            ),
        }
    }

    /// Has many call for so many seconds; answers how many calls a second were answered.
    async fn call(&self, seconds: f64) -> Result<f64> {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let begun = Instant::now();
        let tasks: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (users, names, next) =
                    (self.users.clone(), self.names.clone(), self.next.clone());
                let (stop, answered) = (stop.clone(), answered.clone());
                tokio::spawn(async move {
                    while !stop.load(Relaxed) {
                        let n = fastrand::usize(..names.len());
                        let profile = match fastrand::u32(..100) {
                            0 => person(next.fetch_add(1, Relaxed), 0),
                            1 => person(n as i64, names[n].fetch_add(1, Relaxed) + 1),
                            _ => person(n as i64, names[n].load(Relaxed)),
                        };
                        users.get_or_create_user(&profile).await?;
                        answered.fetch_add(1, Relaxed);
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        let rate = answered.load(Relaxed) as f64 / begun.elapsed().as_secs_f64();
        stop.store(true, Relaxed);
        for task in tasks {
            task.await??;
        }
        Ok(rate)
    }
}

/// Somebody by the name that was taken last.
fn person(n: i64, name: u64) -> Profile {
    Profile::new(TelegramId::try_from(n + 1).expect("an id"), &format!("Ada {}", n % 997))
        .last_name(&format!("Lovelace {name}"))
        .username(&format!("lovelace_{n}"))
        .language_code("en")
}
